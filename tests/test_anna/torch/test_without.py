"""Without PyTorch anna.torch can be imported, and says what is missing when it is used."""

import pytest

import anna.torch


def test_a_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anna.torch, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"anna\.torch needs PyTorch, which is not installed: pip install 'anna-chip\[torch\]'"
    ):
        _ = anna.torch.convert
