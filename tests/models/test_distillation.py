"""Learning from teachers: the formula, and what a teacher sees."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from aerialseg.models.distillation import Distillation
from helpers.teachers import (
    IMAGES,
    Says,
    distillation,
    numpy_divergence,
    numpy_softmax,
    random_logits,
    teacher,
)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("teachers", [1, 3])
def test_the_loss_is_the_plain_formula(temperature, teachers):
    answers = [random_logits(seed) for seed in range(teachers)]
    student, task_loss = random_logits(9), torch.tensor(1.7, dtype=torch.float64)
    truth = np.mean([numpy_softmax(each, temperature) for each in answers], axis=0)
    expected = 0.7 * 1.7 + 0.3 * temperature**2 * numpy_divergence(truth, student, temperature)
    loss = distillation(*answers, temperature=temperature)(task_loss, student, IMAGES)
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_the_gradient_is_that_of_cross_entropy_with_soft_targets():
    answers = [random_logits(0), random_logits(1)]
    student = random_logits(9).requires_grad_()
    task_loss = (student**2).sum()
    distillation(*answers)(task_loss, student, IMAGES).backward()
    truth = sum((each / 2.0).softmax(1) for each in answers) / 2
    with torch.no_grad():
        pixels = student.numel() / 3
        of_teacher = 2.0 * ((student / 2.0).softmax(1) - truth) / pixels
        expected = 0.7 * 2 * student + 0.3 * of_teacher
    torch.testing.assert_close(student.grad, expected)


def test_numeric_gradients_agree():
    student = random_logits(9, (2, 3)).requires_grad_()
    taught = distillation(random_logits(0, (4, 6)))
    task_loss = torch.zeros((), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda logits: taught(task_loss, logits, IMAGES), student)


def test_at_a_high_temperature_logits_are_matched():
    """Hinton et al., equation 4: the squared differences of logits without their means."""
    first, student = random_logits(0), random_logits(9)
    zero = torch.zeros((), dtype=torch.float64)
    loss = distillation(first, weight=1.0, temperature=1e4)(zero, student, IMAGES)
    difference = first - student
    difference = difference - difference.mean(1, keepdim=True)
    assert loss.item() == pytest.approx((difference**2).mean().item() / 2, rel=1e-3)


def test_at_a_low_temperature_the_teacher_says_one_class():
    first = random_logits(0)
    taught = distillation(first, temperature=1e-4)
    truth = taught.probabilities(IMAGES, first)
    torch.testing.assert_close(truth, F.one_hot(first.argmax(1), 3).movedim(-1, 1).double())
    assert torch.isfinite(taught(torch.tensor(0.0), random_logits(9), IMAGES))


@pytest.mark.parametrize(("weight", "expected"), [(0.0, 1.7), (1.0, 0.0)])
def test_the_weight_is_the_share_of_the_teacher(weight, expected):
    student = random_logits(0)
    loss = distillation(student, weight=weight)(torch.tensor(1.7), student, IMAGES)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_single_precision_is_enough_for_half_precision_logits():
    student = random_logits(9).bfloat16()
    loss = distillation(random_logits(0))(torch.tensor(0.0), student, IMAGES)
    assert loss.dtype == torch.float32


def test_the_classes_of_a_teacher_are_put_into_the_order_of_the_student():
    logits = random_logits(0)
    swapped = teacher(Says(logits), order=(2, 0, 1)).double()(IMAGES)
    for mine, its in enumerate((2, 0, 1)):
        assert torch.equal(swapped[:, mine], logits[:, its])


def test_each_teacher_sees_the_images_with_its_own_normalisation():
    networks = [Says(random_logits(seed).float()) for seed in (0, 1)]
    settings = [((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)), ((0.1, 0.2, 0.9), (1.0, 0.5, 0.25))]
    teachers = [
        teacher(network, mean=mean, std=std)
        for network, (mean, std) in zip(networks, settings, strict=True)
    ]
    taught = Distillation(teachers, weight=0.5, temperature=1.0)
    taught(torch.tensor(0.0), random_logits(9).float(), IMAGES)
    scaled = IMAGES.numpy().transpose(0, 2, 3, 1) / 255
    for network, (mean, std) in zip(networks, settings, strict=True):
        by_hand = (scaled - np.array(mean)) / np.array(std)
        seen = network.seen.numpy().transpose(0, 2, 3, 1)
        np.testing.assert_allclose(seen, by_hand, rtol=1e-4, atol=1e-5)


def test_coarser_logits_of_a_teacher_are_upsampled():
    coarse, student = random_logits(0, (2, 3)), random_logits(9)
    truth = distillation(coarse, temperature=1.0).probabilities(IMAGES, student)
    full = F.interpolate(coarse, (4, 6), mode="bilinear", align_corners=False)
    torch.testing.assert_close(truth, full.softmax(1))


def test_finer_logits_of_a_teacher_all_count():
    student = random_logits(9, (2, 2))
    zeros = torch.zeros(2, 3, 16, 16, dtype=torch.float64)
    even = distillation(zeros).probabilities(IMAGES, student)
    for row, column in ((0, 0), (1, 6), (7, 8), (15, 15)):
        one = zeros.clone()
        one[:, 1, row, column] = 50.0
        assert not torch.allclose(distillation(one).probabilities(IMAGES, student), even)
