"""Torch modules of the fifth batch, as their authors write and name such models."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


class HighwayPair(nn.Module):
    """Highways whose transform and gate are rows of one matrix."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self._layers = nn.ModuleList([nn.Linear(width, 2 * width) for _ in range(count)])

    def forward(self, x: Any) -> Any:
        for layer in self._layers:
            plain, gate = layer(x).chunk(2, -1)
            gate = torch.sigmoid(gate)
            x = gate * torch.relu(plain) + (1 - gate) * x
        return x


class ProjectedCell(nn.Module):
    """An LSTM cell with a projection; input and state have matrices of their own."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.input_linearity = nn.Linear(width, 4 * hidden, bias=False)
        self.state_linearity = nn.Linear(width, 4 * hidden)
        self.state_projection = nn.Linear(hidden, width, bias=False)

    def forward(self, steps: list[Any]) -> list[Any]:
        h = torch.zeros_like(steps[0])
        c = torch.zeros(h.shape[0], self.hidden)
        outputs = []
        for x in steps:
            gates = self.input_linearity(x) + self.state_linearity(h)
            i, f, j, o = gates.chunk(4, -1)
            c = torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(j)
            h = self.state_projection(torch.sigmoid(o) * torch.tanh(c))
            outputs.append(h)
        return outputs


class CharacterEncoder(nn.Module):
    """Embedding, convolutions, highways, projection."""

    def __init__(self) -> None:
        super().__init__()
        self._char_embedding_weights = nn.Parameter(torch.zeros(15, 4))
        for i in range(3):
            self.add_module(f"char_conv_{i}", nn.Conv1d(4, 4, i + 1, padding="same"))
        self._highways = HighwayPair(12, 2)
        self._projection = nn.Linear(12, 6)

    def forward(self, ids: Any) -> Any:
        x = F.embedding(ids, self._char_embedding_weights).flatten(0, 1).transpose(1, 2)
        found = [torch.tanh(getattr(self, f"char_conv_{i}")(x)).amax(-1) for i in range(3)]
        return self._projection(self._highways(torch.cat(found, -1))).reshape(2, 4, 6)


class Elmo(nn.Module):
    """Both directions layer by layer."""

    def __init__(self) -> None:
        super().__init__()
        self._token_embedder = CharacterEncoder()
        self._elmo_lstm = nn.Module()
        for i in range(2):
            self._elmo_lstm.add_module(f"forward_layer_{i}", ProjectedCell(6, 10))
            self._elmo_lstm.add_module(f"backward_layer_{i}", ProjectedCell(6, 10))

    def forward(self, ids: Any) -> list[Any]:
        x = self._token_embedder(ids)
        outputs = [x]
        for way, turned in (("forward", False), ("backward", True)):
            steps = list(x.unbind(1))[:: -1 if turned else 1]
            for i in range(2):
                before = steps
                steps = getattr(self._elmo_lstm, f"{way}_layer_{i}")(steps)
                steps = [a + b for a, b in zip(steps, before, strict=True)] if i else steps
                outputs.append(torch.stack(steps[:: -1 if turned else 1], 1))
        return outputs


class JasperBlock(nn.Module):
    """Repeated convolutions in one list with their activations, and a residual."""

    def __init__(self, width: int, filters: int, size: int, repeat: int, residual: bool) -> None:
        super().__init__()
        layers: list[Any] = []
        for i in range(repeat):
            layers += [
                nn.Conv1d(width if i == 0 else filters, filters, size, padding="same", bias=False),
                nn.BatchNorm1d(filters, eps=1e-3),
            ]
            layers += [nn.ReLU(), nn.Dropout(0.2)] if i < repeat - 1 else []
        self.mconv = nn.ModuleList(layers)
        if residual:
            pair = [nn.Conv1d(width, filters, 1, bias=False), nn.BatchNorm1d(filters, eps=1e-3)]
            self.res = nn.ModuleList([nn.ModuleList(pair)])
        self.mout = nn.Sequential(nn.ReLU(), nn.Dropout(0.2))

    def forward(self, x: Any) -> Any:
        side = x
        for layer in self.mconv:
            x = layer(x)
        if hasattr(self, "res"):
            for layer in self.res[0]:
                side = layer(side)
            x = x + side
        return self.mout(x)


class Jasper(nn.Module):
    """Encoder of blocks and a 1x1 decoder."""

    def __init__(self) -> None:
        super().__init__()
        plan = ((6, 8, 3, 1), (8, 8, 5, 3), (8, 10, 5, 3), (10, 12, 5, 3), (12, 14, 1, 1))
        self.encoder = nn.Sequential(*[JasperBlock(*p, residual=p[3] > 1) for p in plan])
        self.decoder_layers = nn.Sequential(nn.Conv1d(14, 9, 1))

    def forward(self, x: Any) -> Any:
        return self.decoder_layers(self.encoder(x.transpose(1, 2))).transpose(1, 2)


class SageConv(nn.Module):
    """Mean of the neighbours and the node itself."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.fc_neigh = nn.Linear(width, units, bias=False)
        self.fc_self = nn.Linear(width, units)

    def forward(self, x: Any, mean: Any) -> Any:
        return self.fc_self(x) + self.fc_neigh(mean @ x)


class Sage(nn.Module):
    """Three layers of GraphSAGE and a linear readout."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([SageConv(8, 8) for _ in range(3)])
        self.readout = nn.Linear(8, 4)

    def forward(self, x: Any, mean: Any) -> Any:
        for layer in self.layers:
            x = torch.relu(layer(x, mean))
        return self.readout(x)


class ChebConv(nn.Module):
    """One matrix for each power of the Laplacian."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.lins = nn.ModuleList([nn.Linear(width, units, bias=False) for _ in range(3)])
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: Any, laplacian: Any) -> Any:
        powers = [x, laplacian @ x]
        powers.append(2 * laplacian @ powers[1] - x)
        return sum(lin(p) for lin, p in zip(self.lins, powers, strict=True)) + self.bias


class ChebNet(nn.Module):
    """Two hidden convolutions and one for the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = ChebConv(8, 8), ChebConv(8, 8), ChebConv(8, 5)

    def forward(self, x: Any, laplacian: Any) -> Any:
        x = torch.relu(self.conv1(x, laplacian))
        return self.conv3(torch.relu(self.conv2(x, laplacian)), laplacian)


class NBeatsBlock(nn.Module):
    """Four layers and the two expansions."""

    def __init__(self, past: int, future: int, units: int, theta: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(past, units), nn.Linear(units, units)
        self.fc3, self.fc4 = nn.Linear(units, units), nn.Linear(units, units)
        self.theta_b_fc = nn.Linear(units, theta, bias=False)
        self.theta_f_fc = nn.Linear(units, theta, bias=False)
        self.backcast_fc, self.forecast_fc = nn.Linear(theta, past), nn.Linear(theta, future)

    def forward(self, x: Any) -> tuple[Any, Any]:
        for layer in (self.fc1, self.fc2, self.fc3, self.fc4):
            x = torch.relu(layer(x))
        return self.backcast_fc(self.theta_b_fc(x)), self.forecast_fc(self.theta_f_fc(x))


class NBeats(nn.Module):
    """Two stacks of three blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stacks = nn.ModuleList(
            [nn.ModuleList([NBeatsBlock(10, 5, 12, 4) for _ in range(3)]) for _ in range(2)]
        )

    def forward(self, x: Any) -> Any:
        total = 0
        for stack in self.stacks:
            for block in stack:
                back, front = block(x)
                x, total = x - back, total + front
        return total


class Dlrm(nn.Module):
    """Bags of categories, a perceptron below and one above their products."""

    def __init__(self) -> None:
        super().__init__()
        self.emb_l = nn.ModuleList(
            [nn.EmbeddingBag(n, 8, mode="sum") for n in (11, 14, 11, 17, 14)]
        )
        self.bot_l = self.perceptron((6, 16, 16, 8), nn.ReLU())
        self.top_l = self.perceptron((23, 16, 16, 1), nn.Sigmoid())

    def perceptron(self, widths: tuple[int, ...], last: Any) -> Any:
        layers: list[Any] = []
        for i in range(3):
            layers += [nn.Linear(widths[i], widths[i + 1]), nn.ReLU() if i < 2 else last]
        return nn.Sequential(*layers)

    def forward(self, x: Any, *ids: Any) -> Any:
        x = self.bot_l(x)
        parts = [x, *(bag(one) for bag, one in zip(self.emb_l, ids, strict=True))]
        every = torch.stack(parts, 1)
        products = every @ every.transpose(1, 2)
        rows, columns = torch.tril_indices(6, 6, -1)
        return self.top_l(torch.cat([x, products[:, rows, columns]], -1))
