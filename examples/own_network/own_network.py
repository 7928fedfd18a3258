"""A network of your own: any nn.Module that returns its logits as a dictionary."""

from torch import Tensor, nn


class TinyNet(nn.Module):
    """Two convolutions with stride 2 and a classifier."""

    def __init__(self, num_classes: int, *, width: int = 16) -> None:
        super().__init__()
        self.backbone = nn.Sequential(_block(3, width), _block(width, 2 * width))
        self.classifier = nn.Conv2d(2 * width, num_classes, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits at a quarter of the size; image ``(N, 3, H, W)`` float, normalised."""
        return {"out": self.classifier(self.backbone(image))}


def _block(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())
