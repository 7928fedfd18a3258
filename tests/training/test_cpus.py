"""The CPUs that a process may use, from files as kernels write them."""

import os

import pytest

from aerialseg.training import cpus
from aerialseg.training.cpus import quotas, usable_cpus


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(tmp_path):
    return list(quotas(tmp_path / "own", tmp_path / "groups"))


@pytest.mark.parametrize(
    ("limit", "quota"), [("200000 100000", 2.0), ("150000 100000", 1.5), ("50000 100000", 0.5)]
)
def test_version_2_has_quota_and_period_in_one_file(tmp_path, limit, quota):
    write(tmp_path / "own", "0::/job\n")
    write(tmp_path / "groups/job/cpu.max", f"{limit}\n")
    assert found(tmp_path) == [quota]


def test_a_container_sees_its_own_group_as_the_root(tmp_path):
    write(tmp_path / "own", "0::/\n")
    write(tmp_path / "groups/cpu.max", "300000 100000\n")
    assert found(tmp_path) == [3.0]


def test_limits_of_the_groups_above_count_too(tmp_path):
    write(tmp_path / "own", "0::/slurm/job_7/step_0\n")
    write(tmp_path / "groups/slurm/job_7/step_0/cpu.max", "max 100000\n")
    write(tmp_path / "groups/slurm/job_7/cpu.max", "400000 100000\n")
    write(tmp_path / "groups/slurm/cpu.max", "1600000 100000\n")
    write(tmp_path / "cpu.max", "100000 100000\n")  # not below the mount
    assert sorted(found(tmp_path)) == [4.0, 16.0]


def test_version_1_has_two_files_in_the_tree_of_its_controllers(tmp_path):
    write(tmp_path / "own", "5:memory:/box\n4:cpu,cpuacct:/box\n0::/box\n")
    write(tmp_path / "groups/cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n")
    write(tmp_path / "groups/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    write(tmp_path / "groups/memory/box/cpu.max", "100000 100000\n")
    assert found(tmp_path) == [2.5]


@pytest.mark.parametrize("text", ["", "max 100000", "-1 100000", "100000 0", "nonsense", "1"])
def test_what_is_no_limit_limits_nothing(tmp_path, text):
    write(tmp_path / "own", "0::/job\nnonsense\n")
    write(tmp_path / "groups/job/cpu.max", text)
    assert found(tmp_path) == []


def test_a_system_without_control_groups_has_no_limit(tmp_path):
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("limits", "usable"), [([], 6), ([4.0], 4), ([2.9, 5.0], 2), ([0.3], 1), ([64.0], 6)]
)
def test_the_least_of_affinity_and_quotas_counts(monkeypatch, limits, usable):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(cpus, "quotas", lambda: iter(limits))
    assert usable_cpus() == usable


def test_without_affinity_all_cpus_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(cpus, "quotas", lambda: iter(()))
    assert usable_cpus() == 3
