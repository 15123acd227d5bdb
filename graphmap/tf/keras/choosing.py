"""The optimizer to put state into: of the stored class and options, or what the caller gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.errors import ReconstructionError, UsageError
from graphmap.matching import rank_candidates
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.crossing import fitting_options, is_foreign
from graphmap.tf.keras.flavour import Flavour, flavour_of
from graphmap.tf.keras.live import LiveModel
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.suggest import did_you_mean

__all__ = ["Chosen", "choose_optimizer", "class_of"]

_SCALE = ("initial_scale", "dynamic_growth_steps", "dynamic")
_DROPPED = ("jit_compile", "is_legacy_optimizer", "name")  # of tf_keras, or of no consequence


class Chosen:
    """An optimizer, and what had to be assumed about it."""

    def __init__(self, optimizer: Any, assumed: list[str]) -> None:
        self.optimizer = optimizer
        self.assumed = assumed


def choose_optimizer(
    live: LiveModel, stored: StoredOptimizer, given: Any, file: StoredFile
) -> Chosen:
    """Return the optimizer; raises ReconstructionError where class or options cannot be known."""
    if given is None:
        return _as_stored(live, stored, file)
    optimizer = _made(given, live.flavour, stored)
    _check_class(optimizer, stored, file.path)
    return Chosen(optimizer, _differences(optimizer, stored))


def _as_stored(live: LiveModel, stored: StoredOptimizer, file: StoredFile) -> Chosen:
    if stored.kind is not None and stored.options is not None:
        made = _from_options(
            live.flavour, stored.kind, stored.options, stored, file.wrapper_options
        )
        return Chosen(made, [])
    compiled = getattr(live.model, "optimizer", None)
    if compiled is None:
        told = "class and options" if stored.kind is None else "options"
        kind = stored.kind or "Adam"
        raise ReconstructionError(
            f"does not tell the {told} of its optimizer",
            where=file.path,
            remedy="Nothing has been assigned. Say what the training code said: "
            f"optimizer=keras.optimizers.{kind}(...), with its schedule and clipping.",
        )
    _check_class(compiled, stored, file.path)
    return Chosen(
        compiled,
        [
            f"class and options of {type(compiled).__name__}, which the file does not tell, are "
            "those that the model was compiled with"
        ],
    )


def _made(given: Any, flavour: Flavour, stored: StoredOptimizer) -> Any:
    """Return what the caller means by `optimizer`: an instance, a class, a name or a config."""
    if isinstance(given, str):
        return _from_options(flavour, given, stored.options or {})
    if isinstance(given, Mapping):
        kind = given.get("class_name", given.get("kind", stored.kind))
        options = given.get("config", given.get("hyperparameters", {}))
        if not isinstance(kind, str) or not isinstance(options, Mapping):
            raise UsageError(
                "tells no class",
                where="optimizer",
                remedy='Give {"class_name": "Adam", "config": {...}}, or a Keras optimizer.',
            )
        return _from_options(flavour, kind, {**(stored.options or {}), **options})
    if isinstance(given, type):
        return given()
    if flavour_of(given).module is not flavour.module:
        raise UsageError(
            f"is of {flavour_of(given).word}, the model of {flavour.word}",
            where="optimizer",
            remedy=f"Make it with {flavour.module.__name__}.optimizers.",
        )
    return given


def class_of(flavour: Flavour, kind: str, library: str | None = None) -> Any:
    """Return Keras' own optimizer class of a name; raises ReconstructionError.

    library: that of the file; tf_keras has the legacy classes too.
    """
    optimizers = flavour.module.optimizers
    name = kind.rpartition(">")[2]
    if library == "keras 2 legacy" and not flavour.is_three and hasattr(optimizers.legacy, name):
        return getattr(optimizers.legacy, name)
    found = getattr(optimizers, name, None)
    if isinstance(found, type) and issubclass(found, optimizers.Optimizer):
        return found
    if name == "LossScaleOptimizer" and not flavour.is_three:
        return flavour.module.mixed_precision.LossScaleOptimizer
    registered = flavour.module.saving.get_registered_object(kind)
    if isinstance(registered, type):
        return registered
    known = [n for n in dir(optimizers) if isinstance(getattr(optimizers, n), type)]
    raise ReconstructionError(
        f"{kind} is no optimizer of {flavour.word}",
        where="optimizer",
        remedy="Pass optimizer=, an instance of the class that trained the model. "
        f"{did_you_mean(rank_candidates(name, known, 3))}",
    )


def _from_options(
    flavour: Flavour,
    kind: str,
    options: Mapping[str, Any],
    stored: StoredOptimizer | None = None,
    scale: Mapping[str, Any] | None = None,
) -> Any:
    """Make an optimizer. stored: whose options they are; scale: those of its wrapper."""
    cls = class_of(flavour, kind, stored.library if stored else None)
    config = {key: value for key, value in options.items() if key not in _DROPPED}
    if stored is not None and stored.wrapper:
        return _wrapped(flavour, cls, config, stored, scale or {})
    if stored is not None and is_foreign(stored, cls, flavour):
        config = fitting_options(cls, config, kind)
    for name in [name for name, value in config.items() if isinstance(value, dict)]:
        _check_nested(flavour, name, config[name])
    try:
        return cls.from_config(config)
    except (TypeError, ValueError, KeyError) as cause:
        raise ReconstructionError(
            f"its options do not fit {kind} of {flavour.word} ({str(cause)[:100]})",
            where="optimizer",
            remedy="Pass optimizer=, an instance with the options that trained the model.",
        ) from cause


def _wrapped(
    flavour: Flavour,
    cls: Any,
    config: dict[str, Any],
    stored: StoredOptimizer,
    scale: Mapping[str, Any],
) -> Any:
    """Return the optimizer inside the wrapper that the file tells; both of this Keras."""
    mine = "keras 3" if flavour.is_three else "keras 2"
    if stored.library not in (mine, "keras 2 legacy"):
        raise ReconstructionError(
            f"wraps it in {stored.wrapper}, whose scale is kept otherwise in {flavour.word}",
            where="optimizer",
            remedy="Nothing has been assigned. Restore it in the Keras that wrote it.",
        )
    told = {name: scale[name] for name in _SCALE if scale.get(name) is not None}
    return class_of(flavour, "LossScaleOptimizer")(cls.from_config(config), **told)


def _check_nested(flavour: Flavour, name: str, value: Mapping[str, Any]) -> None:
    """Let only Keras' own schedules and optimizers be made from a file's config."""
    kind = str(value.get("class_name", ""))
    optimizers = flavour.module.optimizers
    short = kind.rpartition(">")[2]
    is_known = isinstance(getattr(optimizers.schedules, short, None), type) or isinstance(
        getattr(optimizers, short, None), type
    )
    if is_known or flavour.module.saving.get_registered_object(kind) is not None:
        return
    raise ReconstructionError(
        f"its {name} is a {kind or 'object'}, which Keras does not have",
        where="optimizer",
        remedy="Register the class with keras.saving.register_keras_serializable, "
        "or pass optimizer=.",
    )


def _check_class(optimizer: Any, stored: StoredOptimizer, where: str) -> None:
    kind = type(optimizer).__name__
    wanted = stored.kind
    if wanted is None or kind == wanted or stored.wrapper == kind:
        return
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None and type(inner).__name__ == wanted:
        return
    raise ReconstructionError(
        f"holds the state of {wanted}, and the optimizer is {kind}",
        where=where,
        remedy="Nothing has been assigned. Another class would read the slots as something else: "
        f"pass optimizer={wanted}(...), or train on with fresh slots.",
    )


def _differences(optimizer: Any, stored: StoredOptimizer) -> list[str]:
    """Return what the caller's optimizer says otherwise than the file."""
    if stored.options is None:
        return [f"class and options of {type(optimizer).__name__} are the caller's"]
    config = optimizer.get_config()
    found = []
    for name, value in sorted(config.items()):
        if name in _DROPPED or name == "learning_rate" or name not in stored.options:
            continue
        if value != stored.options[name]:
            found.append(
                f"{name} is {value!r} as the caller says; the file says {stored.options[name]!r}"
            )
    return found
