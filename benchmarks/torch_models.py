"""The peers of models/*.resin in PyTorch: same shapes, same parameter names."""

import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class OptionA(nn.Module):
    """The parameter-free shortcut: every other pixel, channels of zeros appended (He et al. 2015, option A)."""

    def __init__(self, more):
        super().__init__()
        self.more = more

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))


class Basic(nn.Module):
    def __init__(self, inputs, width, stride, option_a):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != width:
            self.downsample = (
                OptionA(width - inputs)
                if option_a
                else nn.Sequential(conv(inputs, width, 1, stride), nn.BatchNorm2d(width))
            )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(conv(inputs, 4 * width, 1, stride), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class CifarResNet(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16, 3), nn.BatchNorm2d(16)
        inputs = 16
        for level, width in enumerate((16, 32, 64), 1):
            blocks = []
            for i in range((depth - 2) // 6):
                blocks.append(Basic(inputs, width, 2 if i == 0 and level > 1 else 1, option_a=True))
                inputs = width
            setattr(self, f"layer{level}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class ImageNetResNet(nn.Module):
    def __init__(self, repeats, bottleneck):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        inputs = 64
        for level, (width, repeat) in enumerate(zip((64, 128, 256, 512), repeats), 1):
            blocks = []
            for i in range(repeat):
                stride = 2 if i == 0 and level > 1 else 1
                blocks.append(
                    Bottleneck(inputs, width, stride) if bottleneck else Basic(inputs, width, stride, option_a=False)
                )
                inputs = 4 * width if bottleneck else width
            setattr(self, f"layer{level}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, 1000)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def initialise(model):
    """He initialisation by fan-out, as torchvision's ResNet and models/*.resin."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def build(name):
    if name in ("resnet18", "resnet34", "resnet50"):
        repeats = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}[name]
        return initialise(ImageNetResNet(repeats, bottleneck=name == "resnet50"))
    return initialise(CifarResNet(int(name.removeprefix("resnet"))))


IMAGE = {"resnet18": 224, "resnet34": 224, "resnet50": 224}


def image_size(name):
    return IMAGE.get(name, 32)
