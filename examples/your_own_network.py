"""Your own network: trained in PyTorch, compiled as it is, then trained for the chip; errors on 8 typical chips each.

Needs `pip install ".[torch]"` and MNIST in the folder that ANNA_DATA names (docs/data.md). Takes some minutes.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import anna
import lenet
from anna.torch import convert

grey = {part: lenet.digits("mnist", part) for part in ("train", "test")}
digits = {part: torch.tensor(images[:, None] / 127.5 - 1).float() for part, (images, _) in grey.items()}
labels = {part: torch.tensor(found).long() for part, (_, found) in grey.items()}


def train(net: nn.Module, passes: int, step: float) -> None:
    rates = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(rates, step, passes * -(-len(labels["train"]) // 64))
    for _ in range(passes):
        if isinstance(net, anna.torch.ChipModule):
            net.settle()  # the compiler's choices for the weights as they are now
        for chosen in torch.randperm(len(labels["train"])).split(64):
            rates.zero_grad()
            cross_entropy(net(digits["train"][chosen]), labels["train"][chosen]).backward()
            rates.step()
            schedule.step()


def say(name: str, program: anna.Program) -> None:
    chips = [anna.Chip(seed=seed) for seed in range(100, 108)]
    errors = [result.error(labels["test"].numpy()) for result in anna.run_chips(chips, program, digits["test"].numpy())]
    print(f"{name}: {sum(errors) / 8:.2%} misread on 8 typical chips, {max(errors):.2%} on the worst")


torch.manual_seed(1)
mine = nn.Sequential(
    nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10),
)  # fmt: skip
train(mine, passes=4, step=0.01)
with torch.no_grad():
    wrong = mine.eval()(digits["test"]).argmax(1) != labels["test"]
print(f"float: {wrong.float().mean():.2%} misread")
say("compiled as it is", anna.compile(mine, digits["train"][:500]))
say("compiled against typical chips", anna.compile(mine, digits["train"][:500], against="typical"))
say("compiled in two digits", anna.compile(mine, digits["train"][:500], digits=2))  # takes five times as long on the chip

chip = convert(mine, digits["train"][:500])
train(chip, passes=8, step=0.002)
say("trained for the chip", chip.compile())
