"""Wrong overrides and the exact lines they print."""

import pytest

from aerialseg.config.targets import ALLOWED
from helpers.composing import composed, lines, lines_for_values

PACKAGES = ", ".join(ALLOWED)
TOP = (
    "augmentation, callbacks, checkpoint, checkpoint_from, compute, data, existing, input, "
    "logger, loss, model, optimizer, paths, recipe, run_name, scheduler, seed, stage, task, trainer"
)
STAGE = (
    "aux_loss, cache_features, epochs, fine_tune_start, fresh, from_run, init_checkpoint, "
    "learning_rate, load_from, name, previous, renamed_classes"
)
PRECISIONS = (
    "64, 32, 16, transformer-engine, transformer-engine-float16, 16-true, 16-mixed, bf16-true, "
    "bf16-mixed, 32-true, 64-true, bf16"
)

UNKNOWN_KEYS = {
    "sed=1": "sed: the config takes no 'sed'; did you mean 'seed'?",
    "stages=aspp": "stages: the config takes no 'stages'; did you mean 'stage'?",
    "+foo=1": f"foo: the config takes no 'foo'; known: {TOP}",
    "++foo=1": f"foo: the config takes no 'foo'; known: {TOP}",
    "stage.lr=1": f"stage.lr: conf/stage takes no 'lr'; known: {STAGE}",
    "+stage.epoch=1": "stage.epoch: conf/stage takes no 'epoch'; did you mean 'epochs'?",
    "paths.run_dir=x": "paths.run_dir: conf/paths takes no 'run_dir'; did you mean 'runs_dir'?",
    "trainer.max_epoch=1": (
        "trainer.max_epoch: pytorch_lightning.Trainer takes no 'max_epoch'; "
        "did you mean 'max_epochs'?"
    ),
    "trainer.zzz=1": "trainer.zzz: pytorch_lightning.Trainer takes no 'zzz'",
    "data.layout.cout=1": (
        "data.layout.cout: aerialseg.data.layouts.demo takes no 'cout'; did you mean 'count'?"
    ),
    "model.network.aux_heads=true": (
        "model.network.aux_heads: aerialseg.models.networks.deeplabv3_mobilenet_v3_large takes no "
        "'aux_heads'; did you mean 'aux_head'?"
    ),
    "callbacks.early_stopping.patiense=1": (
        "callbacks.early_stopping.patiense: pytorch_lightning.callbacks.EarlyStopping takes no "
        "'patiense'; did you mean 'patience'?"
    ),
    "task.chian=true": "task.chian: the task train takes no 'chian'; known: require",
    "task=check task.chian=true": (
        "task.chian: the task check takes no 'chian'; did you mean 'chain'?"
    ),
    # It takes any keyword, but this one is more likely a slip.
    "logger._target_=pytorch_lightning.loggers.TensorBoardLogger logger.nam=x": (
        "logger.nam: pytorch_lightning.loggers.TensorBoardLogger takes no 'nam'; "
        "did you mean 'name'?"
    ),
    "augmentation.transforms=[{_target_:albumentations.HorizontalFlip,prob:0.3}]": (
        "augmentation.transforms[0].prob: albumentations.HorizontalFlip takes no 'prob'; "
        "did you mean 'p'?"
    ),
    "augmentation=drone augmentation.transforms.3.rotat=3": (
        "augmentation.transforms[3].rotat: albumentations.Affine takes no 'rotat'; "
        "did you mean 'rotate'?"
    ),
    "augmentation.transforms=[{_target_:albumentations.OneOf,transforms:"
    "[{_target_:albumentations.Blur,blur_limt:3}]}]": (
        "augmentation.transforms[0].transforms[0].blur_limt: albumentations.Blur takes no "
        "'blur_limt'; did you mean 'blur_limit'?"
    ),
    "+trainer._args_=[1]": "trainer._args_: pytorch_lightning.Trainer takes no '_args_'",
    "+trainer.logger=true": (
        "trainer.logger: comes from another part of the config; leave it out here"
    ),
    "+optimizer.function.params=[1]": (
        "optimizer.function.params: comes from another part of the config; leave it out here"
    ),
}

WRONG_VALUES = {
    "stage.learning_rate=fast": "stage.learning_rate: 'fast' is not a number",
    "stage.learning_rate=0": "stage.learning_rate: 0 is out of range, wanted more than 0",
    "stage.learning_rate=nan": "stage.learning_rate: nan is not a finite number",
    "stage.epochs=2.5": "stage.epochs: 2.5 is not a whole number",
    "stage.epochs=true": "stage.epochs: true is not a whole number",
    "stage.aux_loss=1": "stage.aux_loss: 1 is not true or false",
    "stage.name=null": "stage.name: null is not text",
    "stage.fine_tune_start=-1": "stage.fine_tune_start: -1 is out of range, wanted 0 or more",
    "stage.load_from=bst": (
        "stage.load_from: 'bst' is not one of best, last; did you mean 'best'?"
    ),
    "stage.renamed_classes=car": "stage.renamed_classes: 'car' is not a mapping or null",
    "stage.renamed_classes={car:[3]}": "stage.renamed_classes.car: [3] is not text or null",
    "data.split_seed=-1": "data.split_seed: -1 is out of range, wanted 0 or more",
    "seed=-1": "seed: -1 is out of range, wanted 0 or more",
    "seed=one": "seed: 'one' is not a whole number",
    "existing=reuse": (
        "existing: 'reuse' is not one of refuse, resume, extend, overwrite; did you mean 'refuse'?"
    ),
    "run_name=a/b": "run_name: 'a/b' cannot be the name of a folder",
    "run_name=..": "run_name: '..' cannot be the name of a folder",
    "model.mean=[1,2]": "model.mean: [1, 2] has 2 numbers, wanted 3 numbers of red, green and blue",
    "model.std=[1,2,0]": "model.std[2]: 0 is out of range, wanted more than 0",
    "model.layer_groups=[a,[b,1]]": "model.layer_groups[1][1]: 1 is not text",
    "model.fine_tune_start.head=1.5": (
        "model.fine_tune_start.head: 1.5 is not a whole number or text"
    ),
    "loss.class_weights=enett": (
        "loss.class_weights: 'enett' is not a list or a mapping or one of none, "
        "inverse_frequency, median_frequency, enet, sqrt_enet; did you mean 'enet'?"
    ),
    "loss.class_weights=[1,0,2]": ("loss.class_weights[1]: 0 is out of range, wanted more than 0"),
    "loss.class_weights={car:heavy}": ("loss.class_weights.car: 'heavy' is not a number"),
    "loss.aux_weight=-0.5": "loss.aux_weight: -0.5 is out of range, wanted 0 or more",
    "loss.function.label_smoothing=1.5": (
        "loss.function.label_smoothing: 1.5 is out of range, wanted 1 or less"
    ),
    "loss=ohem_cross_entropy loss.function.threshold=2": (
        "loss.function.threshold: 2 is out of range, wanted 1 or less"
    ),
    "loss=ohem_cross_entropy loss.function.min_kept=0.1": (
        "loss.function.min_kept: 0.1 is not a whole number"
    ),
    "loss=jaccard loss.function.smooth=-1": (
        "loss.function.smooth: -1 is out of range, wanted 0 or more"
    ),
    "loss=lovasz": "loss: there is no 'lovasz'; did you mean 'lovasz_softmax'?",
    "loss.function.smooth=some": "loss.function.smooth: 'some' is not a number",
    "data.batch_size=0": "data.batch_size: 0 is out of range, wanted 1 or more",
    "data.batch_size=x": "data.batch_size: 'x' is not a whole number",
    "data.num_workers=-1": "data.num_workers: -1 is out of range, wanted 0 or more",
    "data.image_min_size=0": "data.image_min_size: 0 is out of range, wanted 1 or more",
    "data.image_min_size=big": "data.image_min_size: 'big' is not a whole number or null",
    "data.val_fraction=2": "data.val_fraction: 2 is out of range, wanted less than 1",
    "data.val_fraction=0": "data.val_fraction: 0 is out of range, wanted more than 0",
    "data.mask_format=color": (
        "data.mask_format: 'color' is not one of index, colour; did you mean 'colour'?"
    ),
    "data.mask_vals={0:ground}": (
        "data.mask_vals: aerialseg.data.datamodule.AerialSegDataModule takes no 'mask_vals'; "
        "did you mean 'mask_values'?"
    ),
    "data.mask_values=[ground,roof]": (
        "data.mask_values: ['ground', 'roof'] is not a mapping or null"
    ),
    "data.mask_values={0:1,255:roof}": "data.mask_values.0: 1 is not text",
    "data.ignore_values=0": "data.ignore_values: 0 is not a list or null",
    "data.ignore_values=[white]": (
        "data.ignore_values[0]: 'white' is not a list or a whole number"
    ),
    "data.exif_orientation=aply": (
        "data.exif_orientation: 'aply' is not one of apply, ignore or null; did you mean 'apply'?"
    ),
    "data.layout=kaggle": "data.layout: 'kaggle' is not a mapping with a _target_",
    "data.layout.size=[1,2,3]": "data.layout.size: [1, 2, 3] is out of range, wanted 2 values",
    "data.classes.car=[1,2,x]": "data.classes.car[2]: 'x' is not a whole number",
    "optimizer.function.amsgrad=1": "optimizer.function.amsgrad: 1 is not true or false",
    "optimizer.function.eps=much": "optimizer.function.eps: 'much' is not a number",
    "optimizer=adamw +optimizer.function.betas=[0.9,x]": (
        "optimizer.function.betas[1]: 'x' is not a number"
    ),
    "optimizer.function._partial_=false": (
        "optimizer.function._partial_: must be true: what it works on comes later"
    ),
    "optimizer.weight_decay=0.8": (
        "optimizer.weight_decay: conf/optimizer takes no 'weight_decay'; did you mean "
        "optimizer.function.weight_decay?"
    ),
    "+loss.smooth=2": (
        "loss.smooth: conf/loss takes no 'smooth'; did you mean loss.function.smooth?"
    ),
    "optimizer.layer_decay=1.5": "optimizer.layer_decay: 1.5 is out of range, wanted 1 or less",
    "optimizer.fresh_factor=0": "optimizer.fresh_factor: 0 is out of range, wanted more than 0",
    "optimizer.warmup_steps=2.5": "optimizer.warmup_steps: 2.5 is not a whole number",
    "trainer.precision=fp16": (
        f"trainer.precision: 'fp16' is not one of {PRECISIONS} or null; did you mean 'bf16'?"
    ),
    "trainer.precision=17": f"trainer.precision: 17 is not one of {PRECISIONS} or null",
    "trainer.accelerator=gpux": "trainer.accelerator: there is no 'gpux'; did you mean 'gpu'?",
    "trainer.devices=[0,x]": "trainer.devices[1]: 'x' is not a whole number",
    "augmentation.transforms=[{_target_:albumentations.HorizontalFlip,p:3}]": (
        "augmentation.transforms[0].p: 3 is out of range, wanted 1 or less"
    ),
    "augmentation=drone augmentation.transforms.3.scale=big": (
        "augmentation.transforms[3].scale: 'big' is not a list or a mapping or a number"
    ),
    "augmentation=drone augmentation.transforms.3.interpolation=9": (
        "augmentation.transforms[3].interpolation: 9 is not one of 0, 1, 2, 3, 4"
    ),
    "callbacks.early_stopping=null": (
        "callbacks.early_stopping: null is not a mapping with a _target_"
    ),
    "callbacks.early_stopping.monitor=val/los": (
        "callbacks.early_stopping.monitor: 'val/los' is never logged; did you mean 'val/loss'?"
    ),
    "callbacks.checkpoint.monitor=val/dice_carr": (
        "callbacks.checkpoint.monitor: 'val/dice_carr' is never logged; "
        "did you mean 'val/dice_car'?"
    ),
    "task=visualize task.split=test": "task.split: 'test' is not one of train, val",
    "task.name=trian": "task.name: aerialseg.tasks has no 'trian'; did you mean 'train'?",
    "task.name=null": "task.name: names no task; choose one with task=NAME",
}

TARGETS = {
    "torch.optm.SGD": f"'torch.optm.SGD' is not in {PACKAGES}",
    "torch.optim.SDG": "torch.optim has no 'SDG'; did you mean 'SGD'?",
    "torch.optim.lr_schedular.StepLR": (
        "torch.optim has no 'lr_schedular'; did you mean 'lr_scheduler'?"
    ),
    "os.system": f"'os.system' is not in {PACKAGES}",
    "subprocess.run": f"'subprocess.run' is not in {PACKAGES}",
    "builtins.eval": f"'builtins.eval' is not in {PACKAGES}",
    "torch.hub.load": f"'torch.hub.load' is not in {PACKAGES}",
    "aerialseg.storage.run_folders.subprocess.run": (
        "'aerialseg.storage.run_folders.subprocess.run' is subprocess.run, "
        f"which is not in {PACKAGES}"
    ),
}


@pytest.mark.parametrize(("command", "line"), {**UNKNOWN_KEYS, **WRONG_VALUES}.items())
def test_a_wrong_override_prints_one_line(command, line):
    assert lines_for_values(*command.split()) == [f"config error: {line}"]


@pytest.mark.parametrize(("target", "line"), TARGETS.items())
def test_a_wrong_target_prints_one_line(target, line):
    assert lines_for_values(f"optimizer.function._target_={target}") == [
        f"config error: optimizer.function._target_: {line}"
    ]


def test_a_misspelt_target_key_is_named():
    assert lines("augmentation.transforms=[{_traget_:albumentations.HorizontalFlip}]") == [
        "config error: augmentation.transforms[0]: has no _target_, so nothing can be built from "
        "it; did you mean '_target_' by '_traget_'?"
    ]


def test_all_problems_are_reported_at_once(tmp_path):
    found = lines(
        "stage=aspp",
        "run_name=b",
        "stage.learning_rate=fast",
        "trainer.max_epoch=3",
        "augmentation.transforms=[{_target_:albumentations.HorizontalFlip,prob:1}]",
        "data.batch_size=0",
        "data.val_fraction=2",
        "+model.depth=3",
        "seed=???x",
        "loss.function._target_=aerialseg.losses.DiceLos",
        "callbacks.early_stopping.monitor=val/los",
        f"paths.runs_dir={tmp_path}",
    )
    assert sorted(found) == sorted(
        f"config error: {line}"
        for line in (
            "stage.learning_rate: 'fast' is not a number",
            "trainer.max_epoch: pytorch_lightning.Trainer takes no 'max_epoch'; "
            "did you mean 'max_epochs'?",
            "augmentation.transforms[0].prob: albumentations.HorizontalFlip takes no 'prob'; "
            "did you mean 'p'?",
            "data.batch_size: 0 is out of range, wanted 1 or more",
            "data.val_fraction: 2 is out of range, wanted less than 1",
            "model.depth: conf/model takes no 'depth'; known: fine_tune_start, layer_groups, "
            "mean, network, std, weights",
            "seed: '???x' is not a whole number",
            "loss.function._target_: aerialseg.losses has no 'DiceLos'; did you mean 'DiceLoss'?",
            "callbacks.early_stopping.monitor: 'val/los' is never logged; did you mean 'val/loss'?",
            f"stage.init_checkpoint: stage aspp starts from {tmp_path}/b/decoder/train/"
            "checkpoints/best.ckpt, which does not exist; "
            "run `python run.py stage=decoder run_name=b` first",
        )
    )


def test_a_slip_is_reported_where_it_was_made_not_where_it_is_read():
    assert composed("stage.epochs=x").trainer.max_epochs == "x"
    assert lines("stage.epochs=x") == ["config error: stage.epochs: 'x' is not a whole number"]
