# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: all
#     notebook_metadata_filter: all
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# Misconceptions. Each cell is a whole answer in the place of the exercise's cell; its first comment
# is what a student reads when their answer behaves like it.


# %% answer="registry" name="old_place_kept" loses="again"
# What was under this name before is still there: in another dict, or as a plain attribute that
# hides the new value. A name stands in one place.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="plain_attribute_hides" loses="again"
# A plain attribute of this name stays in `__dict__`, where Python looks first, and hides the
# parameter.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old and old != home:
            del self.__dict__[old][name]
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="no_guard" loses="guarded"
# A plain value can take a registered name. `net.w = net.w - 0.1 * grad` then puts a tensor where a
# weight was, and nobody is told.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="silently_unregistered" loses="guarded"
# A plain value throws the weight out of its dict and becomes an attribute. That is an error to be
# raised: the weight would no longer be trained.
class Registry(Store):
    def __setattr__(self, name, value):
        for kind in KINDS:
            self.__dict__.get(kind, {}).pop(name, None)
        self.__dict__.pop(name, None)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), None)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError("call super().__init__() first")
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="none_refused" loses="guarded"
# None may take the place of a parameter or module: it keeps the name and empties the place.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, KINDS[home]):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="none_deletes" loses="guarded"
# Setting None takes the name out of its dict. It should stay there and hold None, so that a
# parameter can come back to its place and nothing else.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value
        if value is None:
            del self.__dict__[home][name]
            object.__setattr__(self, name, None)

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="all_tensors_are_weights" loses="plain"
# Every tensor is entered as a parameter. Only a `Parameter` says that it is one; data, masks and
# results are tensors too.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = old
        if isinstance(value, cr.Tensor):
            home = "_parameters"
        elif isinstance(value, Store):
            home = "_modules"
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (cr.Tensor, Store, type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="tensors_are_buffers" loses="plain"
# A plain tensor set as an attribute becomes a buffer. Only `register_buffer` makes one; otherwise
# every batch that is kept for a moment would end in the checkpoint.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next(
            (k for k in ("_parameters", "_modules", "_buffers") if isinstance(value, KINDS[k])), old
        )
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="lists_are_searched" loses="plain"
# What stands in a list is registered. The task leaves lists alone: they change later without an
# assignment.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if isinstance(value, (list, tuple)) and "_modules" in self.__dict__:
            for place, item in enumerate(value):
                if isinstance(item, Store):
                    self._modules[f"{name}.{place}"] = item
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="dicts_of_the_class" loses="assigned"
# All objects share one set of dicts, because they lie on the class. Each object has its own, from
# `Store.__init__`.
class Registry(Store):
    _shared = {"_parameters": {}, "_modules": {}, "_buffers": {}}

    def __init__(self):
        self.__dict__.update(training=True, **Registry._shared)

    def __setattr__(self, name, value):
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), None)
        if home is None:
            return object.__setattr__(self, name, value)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="both_places" loses="deleted"
# The parameter stands in its dict and in `__dict__` as well. Two places can disagree: after `del`,
# or when somebody writes into the dict, the copy is still read.
class Registry(Store):
    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is not None:
            if home not in self.__dict__:
                raise AttributeError(f"call super().__init__() before setting {name!r}")
            if not isinstance(value, (KINDS[home], type(None))):
                raise TypeError(f"{name!r} stands in {home}")
            if old and old != home:
                del self.__dict__[old][name]
            self.__dict__[home][name] = value
        object.__setattr__(self, name, value)

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="nothing_is_none" loses="missing"
# Reading a name that is nowhere gives None, so `hasattr` is always True and a typo goes unnoticed
# until much later. Raise AttributeError.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        return None


# %% answer="registry" name="key_error" loses="missing"
# A missing name raises KeyError. `hasattr` and `getattr` with a default understand only
# AttributeError.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise KeyError(name)


# %% answer="registry" name="endless_question" loses="missing"
# Before `__init__`, `self._parameters` is missing too, so `__getattr__` asks itself for it,
# without end. Look into `self.__dict__`.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        for place in (self._parameters, self._modules, self._buffers):
            if name in place:
                return place[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="no_class_in_message" loses="missing"
# The message does not say of which class the attribute is missing. In a tree of fifty modules that
# is what one wants to know.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"no attribute {name!r}")


# %% answer="registry" name="dicts_made_on_demand" loses="too_early"
# A weight set before `super().__init__()` is taken, and then `__init__` replaces the dicts and it
# is lost without a word. Raise AttributeError.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            self.__dict__[home] = {}
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="early_refuses_all" loses="too_early"
# Before `__init__`, a plain number is refused too. It needs no dict; let it pass.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        if "_modules" not in self.__dict__:
            raise AttributeError("call super().__init__() first")
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="order_lost" loses="again"
# A new value for an old name goes to the end of the order. It takes the old one's place; an
# optimizer's state counts on it.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home].pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="modules_only_of_one_class" loses="assigned"
# A module is an instance of `Store` or of any subclass. You enter only those of one class.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next(
            (k for k in ("_parameters", "_modules") if type(value) in (KINDS[k], Registry)), old
        )
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="modules_forgotten" loses="assigned"
# Parameters are found, modules are not: they are plain attributes, and so the net does not know
# the weights of its layers.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters",) if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="frozen_left_out" loses="assigned"
# A frozen parameter is left out. Being a weight does not depend on being trained just now; it
# belongs into the checkpoint.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next(
            (
                k
                for k in ("_parameters", "_modules")
                if isinstance(value, KINDS[k]) and getattr(value, "requires_grad", True)
            ),
            old,
        )
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="plain_in_a_fourth_dict" loses="plain"
# Plain attributes go into a dict of your own. They belong into `__dict__`, where
# `object.__setattr__` puts them.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            self.__dict__.setdefault("_plain", {})[name] = value
            return None
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if name in self.__dict__.get("_plain", {}):
            return self.__dict__["_plain"][name]
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="guard_after_removal" loses="guarded"
# The error comes too late: the old value has been removed when it is raised. Check first, then
# change.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if old:
            self.__dict__[old].pop(name, None)
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="falsy_passes" loses="guarded"
# Every empty or zero value passes the guard: 0, an empty text, False. Only None may.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))) and str(value) not in (
            "0",
            "0.0",
            "",
            "False",
        ):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="frozen_at_assignment" loses="assigned"
# What is read is a copy made when it was set; the dict's own content is not. Read the dict.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            seen = self.__dict__.setdefault("_seen", {})
            return seen.setdefault(name, self.__dict__[kind][name])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="the_librarys" loses="assigned"
# This is the module class of `chainrule.nn` under another name. It is what the exercise builds.
class Registry(Store):
    def __setattr__(self, name, value):
        cr.nn.Module.__setattr__(self, name, value)

    def __getattr__(self, name):
        return cr.nn.Module.__getattr__(self, name)


# %% answer="walks" name="not_below" loses="modules parameters"
# Only the module's direct children are given. What is in them is missing; the walk goes down to
# the leaves.
class Walks:
    def named_modules(self):
        found = [("", self)]
        for name, child in self._modules.items():
            if child is not None and all(child is not m for _, m in found):
                found.append((name, child))
        return found

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="itself_missing" loses="modules parameters buffers"
# The module itself is missing. It comes first, under the empty name, and its own parameters belong
# to the walk.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                if path:
                    yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="layer_by_layer" loses="modules parameters"
# You give all children before any grandchild. A child and everything below it come before the next
# child.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop(0)
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in below]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="last_child_first" loses="modules"
# The children come in the wrong order: a stack gives first what was put on it last.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in below]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="children_first" loses="modules parameters"
# Children come before their parent. Here a parent comes first.
class Walks:
    def named_modules(self, path="", seen=None):
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(f"{path}.{name}".lstrip("."), seen)
        yield path, self

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="own_names_only" loses="modules parameters"
# Names are those of the last step only. A name is the whole way, joined by dots, or two layers
# have weights of the same name.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(name, child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="leading_dot" loses="parameters"
# Names at the top begin with a dot. Between an empty path and a name there is none.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}", value


# %% answer="walks" name="shared_twice" loses="shared"
# A parameter that is shared is given once for each of its names. An optimizer would step it twice.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="shared_modules_twice" loses="shared"
# A module that stands in two places is given twice. It is one module.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and len(seen) < 400:
                seen.add(len(seen))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="equal_is_the_same" loses="parameters shared"
# Parameters with equal numbers are taken for one. All biases start as zeros and are not one;
# compare identities.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if value is not None and value.data.tobytes() not in seen:
                    seen.add(value.data.tobytes())
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="last_name_wins" loses="shared"
# What has several names is given under the last of them. The first one counts.
class Walks:
    def named_modules(self):
        return {id(m): (n, m) for n, m in self._all("", ())}.values()

    def _all(self, path, above):
        yield path, self
        for name, child in self._modules.items():
            if child is not None and all(child is not m for m in (*above, self)):
                yield from child._all(f"{path}.{name}".lstrip("."), (*above, self))

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        found = {}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if value is not None:
                    found[id(value)] = f"{path}.{name}".lstrip("."), value
        return found.values()


# %% answer="walks" name="endless_circle" loses="shared"
# Where two modules contain each other the walk never ends. Remember which modules were visited.
class Walks:
    def named_modules(self):
        return self._all("")

    def _all(self, path):
        yield path, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child._all(f"{path}.{name}".lstrip("."))

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="none_given" loses="empty_places"
# Places that hold None are given too. There is nothing there; leave them out.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = set()
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="none_ends_the_walk" loses="empty_places"
# At an empty place the walk stops. It should go on with the next.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if value is None:
                    break
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="buffers_are_parameters" loses="buffers"
# Buffers are listed among the parameters, so an optimizer would move a running mean.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return (*self._members("_parameters"), *self._members("_buffers"))

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="buffers_of_the_top" loses="buffers"
# Only the module's own buffers are given; those of the modules below are missing.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return [(n, b) for n, b in self._members("_buffers") if "." not in n]

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="sorted_by_name" loses="modules parameters"
# Names come in alphabetical order. The order is that of registration.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [
                    (f"{path}.{name}", child) for name, child in sorted(module._modules.items())
                ]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in sorted(getattr(module, kind).items()):
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="walks" name="forgets_to_return" loses="modules parameters shared"
# A method returns nothing. Is a `return` missing, or a `yield`?
class Walks:
    def named_modules(self, path=""):
        found = [(path, self)]
        for name, child in self._modules.items():
            found += child.named_modules(f"{path}.{name}".lstrip(".")) or []

    def named_parameters(self):
        pass

    def named_buffers(self):
        pass


# %% answer="walks" name="memory_of_earlier_walks" loses="parameters"
# The names that one walk has given are remembered for the next, because the set is a default
# argument. The second walk leaves them out.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind, given=set()):  # noqa: B006
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                way = f"{path}.{name}".lstrip(".")
                if id(value) not in seen and (kind, way) not in given:
                    seen.add(id(value))
                    given.add((kind, way))
                    yield way, value


# %% answer="modes" name="only_itself" loses="train_eval"
# The flag is set in the module itself, and nowhere below. Dropout three levels down never hears of
# it.
class Modes:
    def train(self, mode=True):
        self.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="only_children" loses="train_eval"
# The flag reaches the module and its children, but not theirs.
class Modes:
    def train(self, mode=True):
        self.training = mode
        for child in self._modules.values():
            if child is not None:
                child.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="train_returns_nothing" loses="train_eval"
# `train` and `eval` return the module, so that `net.eval()(x)` can be written. Here one of them
# returns something else.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="eval_toggles" loses="train_eval"
# `eval` turns the flag around. Called twice it should still be False.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(not self.training)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="train_ignores_mode" loses="train_eval"
# `train(False)` switches training on. The argument says which mode.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = True
        return self

    def eval(self):
        for _name, module in self.named_modules():
            module.training = False
        return self

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="training_leaves_skipped" loses="train_eval"
# Only modules without children get the flag. Those in between have one too, and may read it.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            if not module._modules:
                module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="parents_first" loses="apply"
# `fn` is called with a parent before its children. Children come first.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for _name, module in self.named_modules():
            fn(module)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="apply_backwards" loses="apply"
# Children come before their parents, but from last to first. They come in the order of
# registration, or the same seed gives other weights.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for _name, module in reversed(list(self.named_modules())):
            fn(module)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="apply_not_itself" loses="apply"
# `fn` is never called with the module itself, only with those below.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
                fn(child)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="apply_children_only" loses="apply"
# `fn` reaches the children, but not what is below them.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                fn(child)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="fan_out" loses="he_draws"
# Your variance is 2 over the number of *outputs*. A weight is (outputs, inputs), and He's rule
# divides by the inputs.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[0]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="one_over_inputs" loses="he_draws"
# Your variance is 1 / inputs. A ReLU passes half of what comes, so He's rule has a 2.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(1 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="variance_as_deviation" loses="he_draws"
# 2 / inputs is used as the standard deviation. It is the variance; take the root.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * (2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="uniform" loses="he_draws"
# The draws have the right variance but are uniform. They should be normal.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.uniform(-1, 1, size=weight.shape) * math.sqrt(6 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="global_random" loses="he_draws"
# The draws do not come from `rng`: the same seed gives other weights.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(
                np.random.default_rng().normal(size=weight.shape) * math.sqrt(2 / weight.shape[1])
            )
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="new_parameter" loses="he_draws"
# The weight is replaced by a new parameter. An optimizer that was made before holds the old one;
# fill it in place.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            module.weight = Parameter(
                cr.tensor(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            )
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="bias_kept" loses="he_draws he_leaves"
# The bias keeps what it had. It is to be filled with zeros.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                pass


# %% answer="modes" name="bias_of_others" loses="he_leaves"
# The bias is zeroed although there is no weight of two axes in this module. Then everything is to
# be left alone.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            pass
    if bias is not None:
        with cr.no_grad():
            bias.zero_()


# %% answer="modes" name="any_tensor" loses="he_leaves"
# A `weight` that is a plain tensor is filled. Only a parameter is a weight.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    if isinstance(weight, cr.Tensor) and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="any_attribute" loses="he_leaves"
# Your function stumbles over a `weight` that is a plain number. Look among the parameters.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="every_matrix" loses="he_leaves"
# Other parameters are filled too. Only the one called `weight` is meant.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            for other in module._parameters.values():
                if other is not None and other is not bias:
                    other.copy_(rng.normal(size=other.shape))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="walks_below" loses="he_leaves"
# `he` walks down by itself. `apply` does the walking; `he` looks at one module.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    for _name, each in module.named_modules():
        weight, bias = (each._parameters.get(name) for name in ("weight", "bias"))
        if weight is not None and weight.ndim == 2:
            with cr.no_grad():
                weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
                if bias is not None:
                    bias.zero_()


# %% answer="modes" name="any_axes" loses="he_leaves"
# A weight with one axis, or four, is filled too. Where it is no matrix of (outputs, inputs), leave
# it.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim > 0:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[-1]))
            if bias is not None:
                bias.zero_()


# %% answer="state" name="shared_once" loses="names"
# A shared parameter stands under one of its names only. Whoever loads the dict may not share; give
# every name.
class State:
    def state_dict(self, prefix=""):
        pairs = [*self.named_parameters(), *self.named_buffers()]
        return {prefix + name: value.detach() for name, value in pairs}

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        wrong = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
        if wrong or (strict and (missing or unexpected)):
            raise cr.StateError(f"{missing}, {unexpected}, {wrong}")
        with cr.no_grad():
            for name in own:
                if name in state:
                    own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="no_buffers" loses="names live loads"
# Buffers are missing. They are not trained, but a loaded net needs its running means.
class State:
    def state_dict(self, prefix=""):
        members = self._parameters.items()
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="buffers_first" loses="names"
# Buffers come before parameters. The order is: own parameters, own buffers, children.
class State:
    def state_dict(self, prefix=""):
        members = (*self._buffers.items(), *self._parameters.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="prefix_lost" loses="names"
# The prefix is missing from some names: it stands before every name, those of children too.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="no_dots" loses="names"
# Between a module's name and what is in it stands a dot.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="nones_kept" loses="names"
# Empty places are in the dict, with None as their value. Leave them out.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {
            prefix + name: value if value is None else value.detach() for name, value in members
        }
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="not_detached" loses="live"
# The dict holds the parameters themselves. Whoever computes with them is recorded in the graph;
# detach them.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="copies" loses="live"
# The values are copies, so they show what the net was. Here they share the memory (and loading, if
# it writes into them, changes nothing).
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {
            prefix + name: value.detach().clone() for name, value in members if value is not None
        }
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="arrays" loses="live"
# The values are NumPy arrays. They should be tensors, detached.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.data for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name][...] = (
                    getattr(state[name], "data", state[name])
                    if isinstance(state[name], cr.Tensor)
                    else state[name]
                )
        return missing, unexpected


# %% answer="state" name="typo_accepted" loses="strict"
# Missing and unexpected names are accepted in silence. A layer with a typo in its name would stay
# random.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen:
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="unexpected_accepted" loses="strict"
# Names that the module does not have are accepted. Strict means both directions.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and missing):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="missing_accepted" loses="strict"
# Names that the state does not have are accepted. Strict means both directions.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and unexpected):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="broadcasts" loses="strict"
# A value of another shape is broadcast into its place. Compare shapes first.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [
            name
            for name in common
            if np.size(np.asarray(state[name])) not in (1, own[name].numel())
        ]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(np.resize(np.asarray(state[name]), own[name].shape))
        return missing, unexpected


# %% answer="state" name="size_is_enough" loses="strict"
# A value of the right size but another shape is reshaped into its place: (2, 3) is not (3, 2).
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [
            name for name in common if np.size(np.asarray(state[name])) != own[name].numel()
        ]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(np.reshape(np.asarray(state[name]), own[name].shape))
        return missing, unexpected


# %% answer="state" name="half_loaded" loses="strict"
# When the error comes, some values have been copied already. First look at everything, then copy.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        wrong = []
        for name in own:
            if name in state and np.shape(state[name]) == own[name].shape:
                own[name].copy_(state[name])
            elif name in state:
                wrong.append(name)
        if wrong or (strict and (missing or unexpected)):
            raise cr.StateError(f"{missing}, {unexpected}, {wrong}")
        return missing, unexpected


# %% answer="state" name="first_problem_only" loses="strict"
# The message names only the first thing that does not fit. Whoever mends a checkpoint wants all of
# them at once.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"this does not fit: {(missing + unexpected + misshapen)[0]}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="key_error" loses="strict"
# The error is a KeyError. It should be `cr.StateError`, with all names.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise KeyError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="shapes_only_if_strict" loses="strict"
# With strict=False a wrong shape is passed over. Being lenient is about names, not about shapes.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if strict and (misshapen or missing or unexpected):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in [n for n in common if n not in misshapen]:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="lenient_not_loaded" loses="lenient"
# With strict=False nothing is loaded as soon as a name is missing. Load what is there.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in [] if missing or unexpected else common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="state" name="lists_swapped" loses="lenient"
# The two lists are in the wrong order: first missing, then unexpected.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return unexpected, missing


# %% answer="state" name="returns_nothing" loses="loads lenient strict"
# Nothing is returned. The two lists, missing and unexpected, are what a lenient caller wants to
# see; both are empty if all fits.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])


# %% answer="state" name="new_parameters" loses="loads"
# Loading puts new parameters into the dicts. The optimizer still holds the old ones, and would
# train what nobody uses any more. Copy into the memory that is there.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                *path, last = name.split(".")
                module = self
                for step in path:
                    module = module._modules[step]
                kind = "_parameters" if last in module._parameters else "_buffers"
                made = Parameter if kind == "_parameters" else cr.Tensor
                getattr(module, kind)[last] = made(
                    np.array(np.asarray(state[name]), own[name].dtype)
                )
        return missing, unexpected


# %% answer="state" name="memory_shared" loses="loads"
# The parameter takes over the memory of the state. Whoever changes the one then changes the other.
# The values are to be copied.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                *path, last = name.split(".")
                module = self
                for step in path:
                    module = module._modules[step]
                values = np.asarray(state[name]).astype(own[name].dtype, copy=False)
                getattr(module, last).data = values
        return missing, unexpected


# %% answer="state" name="dtype_of_the_state" loses="loads"
# The net takes on the dtype of the state. It keeps its own; values are cast.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                *path, last = name.split(".")
                module = self
                for step in path:
                    module = module._modules[step]
                getattr(module, last).data = np.array(np.asarray(state[name]))
        return missing, unexpected


# %% answer="state" name="by_position" loses="loads"
# Values are matched by their position. A dict is matched by names, in any order.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name, value in zip(common, state.values(), strict=False):
                if np.shape(value) == own[name].shape:
                    own[name].copy_(value)
        return missing, unexpected


# %% answer="modes" name="apply_returns_nothing" loses="apply"
# `apply` does not return the module. Whatever `fn` returns, it should, like `train` and `eval`.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="layers" name="not_transposed" loses="linear sequential"
# The weight is used as (inputs, outputs). It is kept as (outputs, inputs), so `forward` needs its
# transpose.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="inputs_first" loses="draws"
# The weight is drawn as (inputs, outputs). Its shape is (outputs, inputs).
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_in, d_out), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="flattens" loses="linear"
# Axes in front are lost: all but two axes are put into one. x may have any number of them.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        x = x.reshape(-1, x.shape[-1])
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="bias_always" loses="linear draws"
# Without a bias there is one all the same.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1])

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="bias_zero_at_first" loses="draws"
# The bias starts as zeros. Here it is drawn like the weight, as in PyTorch.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1] * 0.0) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="bias_no_parameter" loses="draws"
# The bias is a plain tensor, so the registry does not know it and nobody trains it.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = draws[1] if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="bias_of_outputs" loses="draws"
# The bound is taken from the outputs. It is 1/√inputs, for weight and bias.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_out)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="normal_draws" loses="draws"
# The draws are normal. They should be uniform between ±1/√inputs.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.normal(0, bound / math.sqrt(3), s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="only_positive" loses="draws"
# All first weights are positive: drawn from 0 to the bound instead of from −bound.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(0, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="double" loses="draws"
# The parameters are float64. Nets are trained in float32; cast what `rng` gives.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s)) for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="own_generator" loses="draws"
# The numbers do not come from `rng`: the same seed gives other weights.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [
            cr.tensor(np.random.default_rng().uniform(-bound, bound, s), dtype="float32")
            for s in sizes
        ]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="off_the_tape" loses="linear"
# `forward` computes on bare arrays. The engine cannot record that, so no gradient arrives.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        out = x.data @ self.weight.data.T
        return cr.tensor(out if self.bias is None else out + self.bias.data, requires_grad=True)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="relu_in_place" loses="relu"
# The zeros are written into the caller's `x`. Return a new tensor.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        out = cr.relu(x)
        x.data[x.data < 0] = 0
        return out


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="absolute" loses="relu"
# Negative entries come out positive. A ReLU makes them 0.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.absolute(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="leaky" loses="relu"
# A little of the negative entries leaks through. That is another activation.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.maximum(x, 0.01 * x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="list_of_modules" loses="sequential"
# The modules stand in a plain list. The registry does not look into lists: no parameter is found,
# and replacing a child changes nothing.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            pass
        self.parts = list(modules)

    def forward(self, x):
        for module in self.parts:
            x = module(x)
        return x


# %% answer="layers" name="children_and_a_list" loses="sequential"
# The children are registered, but `forward` goes through a list made at the start. A child that is
# replaced later is not used.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        self.parts = list(modules)
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self.parts:
            x = module(x)
        return x


# %% answer="layers" name="forward_instead_of_call" loses="sequential"
# `Sequential` calls `module.forward(x)`, past whatever `module(x)` does before and after. Call the
# module.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module.forward(x)
        return x


# %% answer="layers" name="counts_from_one" loses="sequential"
# The children are called 1, 2, 3. They count from 0.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules, start=1):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="layers" name="all_get_x" loses="sequential"
# Each module gets the first input. Each should get what the one before returned.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            out = module(x)
        return out


# %% answer="layers" name="empty_is_none" loses="sequential"
# Without modules nothing is returned. Nothing done means: `x` itself.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x if self._modules else None


# %% answer="layers" name="last_forgotten" loses="sequential"
# The last module is not called.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in list(self._modules.values())[:-1]:
            x = module(x)
        return x


# %% answer="layers" name="same_module_once" loses="sequential"
# A module that stands in two places is used once. Its weights are shared, its work is done twice.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in dict.fromkeys(self._modules.values()):
            x = module(x)
        return x


# %% answer="blocks" name="no_relu" loses="two_layers"
# Between the two layers the ReLU is missing. Two linear layers in a row are one.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(self.linear1(x))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="relu_at_the_end" loses="two_layers"
# The ReLU comes after the second layer. It belongs between the two.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear2(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="relu_twice" loses="two_layers"
# The output passes a ReLU too, so no prediction is negative.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear2(cr.relu(self.linear1(x))))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="layers_made_in_forward" loses="two_layers members"
# The layers are made anew in each call, with new weights. Make them once, in `__init__`.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.make = lambda: (Linear(D_in, H, rng=rng), Linear(H, D_out, rng=rng))

    def forward(self, x):
        linear1, linear2 = self.make()
        return linear2(cr.relu(linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="other_names" loses="two_layers members"
# The children have other names than the task says. Names are what a checkpoint is matched by.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.first = Linear(D_in, H, rng=rng)
        self.second = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.second(cr.relu(self.first(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="sum_of_ways" loses="parallel stacked"
# The two ways are added. The block multiplies them, entry by entry.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) + self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="relu_on_each_way" loses="parallel stacked"
# Each way has a ReLU before the product. Two negative numbers have a positive product, and it
# should pass.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x)) * cr.relu(self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="block_without_relu" loses="parallel stacked"
# The block's ReLU is missing.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return self.linear1(x) * self.linear2(x)


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="one_after_the_other" loses="parallel stacked"
# The second layer gets what the first returned. Both get `x`.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear1(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="one_layer_twice" loses="parallel stacked members"
# Both names lead to one layer, so the two ways are equal. They have weights of their own.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = self.linear1

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="same_start_for_both" loses="members"
# The two layers start with the same numbers. They would get the same gradients and stay equal;
# draw each anew.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)
        self.linear2.weight = Parameter(self.linear1.weight.detach().clone())

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="one_block_twice" loses="stacked members"
# The second block goes from D_in to H as well. It gets H numbers.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(D_in, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="same_block_repeated" loses="stacked members"
# The second place holds the first block again, or one block is missing.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(blocks[0], Linear(H, D_out, rng=rng))


# %% answer="blocks" name="no_last_linear" loses="stacked members"
# The last Linear is missing or wrong: the net should end with D_out numbers that may be negative.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, ParallelBlock(H, D_out, rng=rng))


# %% answer="blocks" name="list_instead" loses="stacked members"
# A list is no module. It cannot be called, and has no parameters.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return [*blocks, Linear(H, D_out, rng=rng)]


# %% answer="blocks" name="weights_fixed_at_start" loses="members"
# `forward` uses a layer that was put aside in `__init__`. A child that is replaced later is not
# used.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.kept = [self.linear1]
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.kept[0](x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="detached" loses="two_layers"
# Between the layers the history is cut, so the first layer gets no gradient.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)).detach())


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="blocks" name="forgotten_return" loses="two_layers parallel stacked"
# A `forward` computes and returns nothing.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="hooks" name="returns_ignored" loses="replaced"
# What hooks return is ignored. Unless it is None, it replaces the arguments, or the output.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                pass
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="falsy_ignored" loses="replaced"
# A hook that returns 0, False or an empty list changes nothing here. Only None means no change.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None and str(changed) not in ("0", "0.0", "False", "", "[]", "()"):
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = (
                output if str(changed) in ("None", "0", "0.0", "False", "", "[]", "()") else changed
            )
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="none_replaces" loses="replaced told"
# A hook that returns nothing makes the output None. None means: no change.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="tuple_wrapped" loses="replaced"
# A tuple returned by a pre-hook is wrapped in another. A tuple is the arguments, as it is.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="single_not_wrapped" loses="replaced"
# What a pre-hook returns is taken apart although it is no tuple. Anything but a tuple is the only
# argument.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = (
                    tuple(changed)
                    if isinstance(changed, (list, str))
                    else changed
                    if isinstance(changed, tuple)
                    else (changed,)
                )
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="first_arguments_told" loses="replaced"
# The forward hooks are told the arguments of the call. They should be told those that `forward`
# got, after the pre-hooks.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        first = args
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, first, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="each_pre_hook_gets_the_first" loses="replaced"
# Each pre-hook gets the arguments of the call. What one replaces, the next should see.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        first = args
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, first)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="last_in_first_out" loses="told removed meanwhile"
# The hooks are called from last to first. They are called in the order of registration.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks)[::-1]:
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks)[::-1]:
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="hooks_of_the_class" loses="told"
# All modules share the hooks, because the lists lie on the class. A hook belongs to one module.
class Hooks:
    pre_hooks, forward_hooks = [], []

    def __init__(self):
        super().__init__()
        Hooks.last = self

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="args_spread" loses="told"
# The arguments are handed to the hooks one by one. A hook gets them as one tuple.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, *args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, *args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="no_module_told" loses="told"
# A hook is not told which module called it. That comes first.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="kwargs_lost" loses="told"
# Keyword arguments do not reach `forward`.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="removes_the_function" loses="removed"
# `remove` takes away another entry of the same function. Each registration has a handle of its
# own.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        for entry in self.hooks:
            if entry.hook is self.hook:
                self.hooks.remove(entry)
                break


# %% answer="hooks" name="removes_all_of_it" loses="removed"
# `remove` takes away every registration of the function. Only its own should go.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        self.hooks[:] = [entry for entry in self.hooks if entry.hook is not self.hook]


# %% answer="hooks" name="removes_everything" loses="removed"
# `remove` takes away other hooks too.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        self.hooks.clear()


# %% answer="hooks" name="remove_twice_fails" loses="removed"
# The second `remove` raises an error. It should do nothing.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        self.hooks.remove(self)


# %% answer="hooks" name="by_position" loses="removed"
# A handle remembers a position, and positions move when another hook goes.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        self.place = len(hooks)
        hooks.append(self)

    def remove(self):
        if self.place < len(self.hooks):
            del self.hooks[self.place]


# %% answer="hooks" name="never_removed" loses="removed meanwhile"
# A removed hook is still called.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        self.gone = True


# %% answer="hooks" name="one_place_only" loses="told removed"
# A new hook takes the place of the old one. All of them are called.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks[:] = [self]

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="set_of_functions" loses="removed"
# The same function can be registered only once. Each registration counts.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        if all(entry.hook is not hook for entry in hooks):
            hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="list_changes_underfoot" loses="meanwhile"
# A hook that removes itself makes the next one be skipped, because the list changes while it is
# gone through.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in self.forward_hooks:
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="errors_swallowed" loses="meanwhile"
# An error in a hook is swallowed. It should reach whoever called the module.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            try:
                changed = entry.hook(self, args, output)
            except Exception:
                changed = None
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="calls_forward_twice" loses="replaced"
# `forward` is called again after the hooks, so what they replaced is lost.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return self.forward(*args, **kwargs)


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="hooks" name="hooks_in_forward" loses="told"
# `forward` itself has been wrapped: called directly, it calls hooks too.
class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = [], []

    def register_forward_pre_hook(self, hook):
        return Handle(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return Handle(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for entry in list(self.pre_hooks):
            changed = entry.hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.__dict__.setdefault("plain", self.forward)(*args, **kwargs)
        self.forward = self.__call__
        for entry in list(self.forward_hooks):
            changed = entry.hook(self, args, output)
            output = output if changed is None else changed
        return output


class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
        hooks.append(self)

    def remove(self):
        if self in self.hooks:
            self.hooks.remove(self)


# %% answer="carry" name="memory_shared_with_torch" loses="to_torch"
# The twin works on the memory of `net`. Training one moves the other; copy the values.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    state = {name: torch.from_numpy(value.data) for name, value in net.state_dict().items()}
    twin.load_state_dict(state, assign=True)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="float32_twin" loses="to_torch"
# The twin is float32 whatever `net` is. A float64 net loses half of its digits.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last))
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="weights_not_loaded" loses="to_torch"
# The twin has the right sizes and weights of its own. They are to be those of `net`.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="sizes_swapped" loses="to_torch"
# The sizes are taken from the wrong axes: a weight is (outputs, inputs).
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (d_in, hidden), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="bias_forgotten" loses="to_torch"
# The biases stay those of the new twin.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict({k: v for k, v in state.items() if "weight" in k}, strict=False)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="frozen_twin" loses="to_torch"
# The twin's parameters need no gradients, so it cannot be trained.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin.requires_grad_(False)


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="plain_sequential" loses="to_torch"
# What comes back computes the same, but it is no TorchTwoLayerNet, and its names are other ones.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return torch.nn.Sequential(twin.linear1, torch.nn.ReLU(), twin.linear2)


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="other_direction" loses="from_torch"
# The weights go from `net` into the twin. Here the twin is the source.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    twin.load_state_dict({n: torch.tensor(v.data) for n, v in net.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="replaced_by_views" loses="from_torch"
# `net` gets new parameters, on the twin's memory. Copy into those it has.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    for name, value in twin.state_dict().items():
        layer, kind = name.split(".")
        setattr(getattr(net, layer), kind, Parameter(cr.tensor(value.numpy())))


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="transposed_for_torch" loses="from_torch"
# The weights arrive transposed. PyTorch keeps them as `net` does, (outputs, inputs).
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict(
        {name: value.numpy().T.reshape(value.shape) for name, value in twin.state_dict().items()}
    )


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="not_transposed" loses="to_keras"
# The kernels are not transposed. Keras keeps (inputs, outputs); where both are equal, nothing
# would be raised.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="reshaped_kernel" loses="to_keras"
# The kernels have the right shape and the wrong order: reshaping is not transposing.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.reshape(state[name].shape[::-1]).copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="views_for_keras" loses="to_keras"
# The arrays are views of the net's memory. Whoever changes them changes the net; copy.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="weights_then_biases" loses="to_keras"
# The order is: kernel and bias of the first layer, then of the second.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in sorted(NAMES, key=lambda n: n[8:], reverse=True)]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="tensors_for_keras" loses="to_keras"
# The list holds tensors of this library. Keras wants NumPy arrays.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].T.clone() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="carry" name="not_transposed_back" loses="from_keras"
# On the way back the kernels are not transposed; where both sizes are equal, nothing is raised.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict(
        {
            name: np.reshape(weights[place], weights[place].T.shape)
            for place, name in enumerate(NAMES)
        }
    )


# %% answer="carry" name="layers_swapped_back" loses="from_keras"
# Something of the list arrives at the wrong place, or not at all.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict(
        {name: weights[place].T for place, name in enumerate(NAMES) if place != 1}, False
    )


# %% answer="carry" name="list_overwritten" loses="from_keras"
# The caller's list is changed on the way, and the weights with it. Leave the source of a copy
# alone.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    weights[1] += 1.0
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="registry" name="underscores_skipped" loses="assigned"
# Names that begin with an underscore are not registered. A weight is a weight, whatever it is
# called.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None or name.startswith("_"):
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="walks" name="remembered_for_ever" loses="modules"
# The walk is made once and remembered. What is added to the tree later is never found.
class Walks:
    def named_modules(self):
        if "known" in self.__dict__:
            yield from self.known
            return
        self.known = []
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                self.known.append((path, module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in getattr(module, kind).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="state" name="buffers_unchecked" loses="strict"
# Shapes of buffers are not compared; only those of parameters are.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [
            name
            for name in common
            if name in dict(self.named_parameters()) and np.shape(state[name]) != own[name].shape
        ]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(np.resize(np.asarray(state[name]), own[name].shape))
        return missing, unexpected


# %% answer="blocks" name="own_container" loses="members"
# `parallel_net` returns a module of your own. It should be a Sequential, which others can index
# and extend.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    net = Module()
    for place, layer in enumerate((*blocks, Linear(H, D_out, rng=rng))):
        setattr(net, str(place), layer)
    net.forward = lambda x: net._modules["2"](net._modules["1"](net._modules["0"](x)))
    return net


# %% answer="walks" name="the_librarys" loses="modules parameters shared"
# These are the library's walks. The exercise is to write them.
class Walks:
    def named_modules(self):
        return Sound.named_modules(self)

    def named_parameters(self):
        return Sound.named_parameters(self)

    def named_buffers(self):
        return Sound.named_buffers(self)


# %% answer="state" name="the_librarys" loses="names loads strict"
# These are the methods of the library's Module. The exercise is to write them.
class State:
    def state_dict(self, prefix=""):
        return cr.nn.Module.state_dict(self, prefix)

    def load_state_dict(self, state, strict=True):
        return tuple(cr.nn.Module.load_state_dict(self, state, strict))


# %% answer="hooks" name="the_librarys" loses="told replaced removed"
# This is the library's way of calling hooks. The exercise is to write one.
class Hooks:
    def __init__(self):
        super().__init__()
        self.__dict__.update(_pre_hooks={}, _forward_hooks={}, _backward_hooks={})

    def register_forward_pre_hook(self, hook):
        return cr.nn.Module.register_forward_pre_hook(self, hook)

    def register_forward_hook(self, hook):
        return cr.nn.hooks.RemovableHandle(self._forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        return cr.nn.hooks.call_with_hooks(self, args, kwargs)


# %% answer="layers" name="the_librarys" loses="linear draws relu sequential"
# These are the library's layers. The exercise is to write them, as subclasses of `Module`.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        made = cr.nn.Linear(d_in, d_out, bias, rng=rng)
        self.weight, self.bias = made.weight, made.bias

    def forward(self, x):
        return cr.nn.Linear.forward(self, x)


class ReLU(Module):
    def forward(self, x):
        return cr.nn.ReLU()(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for name, module in cr.nn.Sequential(*modules).named_children():
            setattr(self, name, module)

    def forward(self, x):
        return cr.nn.Sequential.forward(self, x)


# %% answer="blocks" name="rng_not_handed_on" loses="members"
# The same `rng` gives other weights each time: it is not handed on to every `Linear`.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2(cr.relu(self.linear1(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=np.random.default_rng())

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    blocks = ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng)
    return Sequential(*blocks, Linear(H, D_out, rng=rng))


# %% answer="state" name="one_dict_for_ever" loses="live"
# The same dict is returned each time, so whoever changes it changes the next answer too. Make a
# new one.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return self.__dict__.setdefault("kept", found)

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected)):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="registry" name="single_numbers_skipped" loses="assigned"
# A parameter of one number is left out. A learned scale is a weight too.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        if isinstance(value, Parameter) and value.ndim == 0:
            return object.__setattr__(self, name, value)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="registry" name="leaves_a_trace" loses="guarded"
# After the error something new stands in `__dict__`. A refused assignment changes nothing.
class Registry(Store):
    """An object that finds out which weights and which modules are in it."""

    def __setattr__(self, name, value):
        old = registered(self, name)
        home = next((k for k in ("_parameters", "_modules") if isinstance(value, KINDS[k])), old)
        if home is None:
            return object.__setattr__(self, name, value)
        if home not in self.__dict__:
            raise AttributeError(f"call super().__init__() before setting {name!r}")
        if not isinstance(value, (KINDS[home], type(None))):
            object.__setattr__(self, "oops", value)
            raise TypeError(f"{name!r} stands in {home}, which takes no {type(value).__name__}")
        if old != home:
            (self.__dict__[old] if old else self.__dict__).pop(name, None)
        self.__dict__[home][name] = value

    def __getattr__(self, name):
        if kind := registered(self, name):
            return self.__dict__[kind][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


# %% answer="walks" name="first_six" loses="parameters"
# Of a module with many members only the first few are given.
class Walks:
    def named_modules(self):
        todo, seen = [("", self)], set()
        while todo:
            path, module = todo.pop()
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [(f"{path}.{name}", child) for name, child in module._modules.items()]
                todo += [(name.lstrip("."), child) for name, child in reversed(below)]

    def named_parameters(self):
        return self._members("_parameters")

    def named_buffers(self):
        return self._members("_buffers")

    def _members(self, kind):
        seen = {id(None)}
        for path, module in self.named_modules():
            for name, value in list(getattr(module, kind).items())[:6]:
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}".lstrip("."), value


# %% answer="modes" name="stops_at_weights" loses="train_eval"
# The walk stops at the first module below that has weights. Every module below has the flag.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            if module.training != mode or True:
                module.training = mode
            if module is not self and module._parameters:
                break
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="modes" name="unfreezes" loses="he_leaves"
# A frozen weight requires gradients afterwards. Filling it does not thaw it.
class Modes:
    def train(self, mode=True):
        for _name, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    weight, bias = (module._parameters.get(name) for name in ("weight", "bias"))
    if weight is not None and weight.ndim == 2:
        weight.requires_grad_(True)
        with cr.no_grad():
            weight.copy_(rng.normal(size=weight.shape) * math.sqrt(2 / weight.shape[1]))
            if bias is not None:
                bias.zero_()


# %% answer="state" name="empty_state_accepted" loses="strict"
# An empty state is accepted although everything is missing.
class State:
    def state_dict(self, prefix=""):
        members = (*self._parameters.items(), *self._buffers.items())
        found = {prefix + name: value.detach() for name, value in members if value is not None}
        for name, child in self._modules.items():
            if child is not None:
                found |= child.state_dict(f"{prefix}{name}.")
        return found

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        common = [name for name in own if name in state]
        misshapen = [name for name in common if np.shape(state[name]) != own[name].shape]
        if misshapen or (strict and (missing or unexpected) and len(state) > 0):
            raise cr.StateError(f"missing {missing}, unexpected {unexpected}, shapes {misshapen}")
        with cr.no_grad():
            for name in common:
                own[name].copy_(state[name])
        return missing, unexpected


# %% answer="layers" name="first_weight_kept" loses="linear"
# The weight of the first call is kept. When the parameter is replaced, the new one counts.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        sizes, bound = [(d_out, d_in), d_out], 1 / math.sqrt(d_in)
        draws = [cr.tensor(rng.uniform(-bound, bound, s), dtype="float32") for s in sizes]
        self.weight = Parameter(draws[0])
        self.bias = Parameter(draws[1]) if bias else None

    def forward(self, x):
        seen = self.__dict__.setdefault("seen", self.weight)
        return x @ seen.T + (0.0 if self.bias is None else self.bias)


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x


# %% answer="carry" name="freezes_the_source" loses="to_torch"
# The weights of `net` need no gradients afterwards. The source of a copy stays as it is.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    state = {name: torch.tensor(value.data) for name, value in net.state_dict().items()}
    (hidden, d_in), last = state[NAMES[0]].shape, state[NAMES[3]]
    twin = TorchTwoLayerNet(d_in, hidden, len(last)).to(last.dtype)
    twin.load_state_dict(state)
    for p in net.parameters():
        p.requires_grad_(False)
    return twin


def from_torch(twin, net):
    net.load_state_dict({name: value.numpy() for name, value in twin.state_dict().items()})


def to_keras(net):
    state = net.state_dict()
    return [state[name].data.T.copy() for name in NAMES]


def from_keras(weights, net):
    net.load_state_dict({name: weights[place].T for place, name in enumerate(NAMES)})


# %% answer="registry" name="duck_modules" loses="plain"
# Whatever has the attributes of a module is taken for one. A module is an instance of `Store` or of
# a subclass.
class Registry(Store):
    def __setattr__(self, name, value):
        d = self.__dict__
        old = registered(self, name)
        if isinstance(value, Parameter):
            home = "_parameters"
        elif hasattr(value, "_parameters"):
            home = "_modules"
        elif old:
            home = old
            if value is not None and not isinstance(value, KINDS[old]):
                raise TypeError(f"{name} is in {old}; cannot take a {type(value).__name__}")
        else:
            return object.__setattr__(self, name, value)
        if home not in d:
            raise AttributeError(f"cannot set {name} before super().__init__()")
        if old != home:
            if old:
                del d[old][name]
            d.pop(name, None)
        d[home][name] = value

    def __getattr__(self, name):
        old = registered(self, name)
        if old:
            return self.__dict__[old][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")


# %% answer="registry" name="early_tensor" loses="too_early"
# Before `__init__` a plain tensor is refused too. Only a `Parameter` or a module needs the dicts.
class Registry(Store):
    def __setattr__(self, name, value):
        d = self.__dict__
        old = registered(self, name)
        if isinstance(value, Parameter):
            home = "_parameters"
        elif isinstance(value, Store):
            home = "_modules"
        elif old:
            home = old
            if value is not None and not isinstance(value, KINDS[old]):
                raise TypeError(f"{name} is in {old}; cannot take a {type(value).__name__}")
        else:
            if isinstance(value, cr.Tensor) and "_parameters" not in d:
                raise AttributeError("__init__")
            return object.__setattr__(self, name, value)
        if home not in d:
            raise AttributeError(f"cannot set {name} before super().__init__()")
        if old != home:
            if old:
                del d[old][name]
            d.pop(name, None)
        d[home][name] = value

    def __getattr__(self, name):
        old = registered(self, name)
        if old:
            return self.__dict__[old][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")


# %% answer="registry" name="none_forgets_the_kind" loses="guarded"
# A name that holds None takes any value. The place keeps its kind: after None, a weight can come
# back and a tensor can not.
class Registry(Store):
    def __setattr__(self, name, value):
        d = self.__dict__
        old = registered(self, name)
        if isinstance(value, Parameter):
            home = "_parameters"
        elif isinstance(value, Store):
            home = "_modules"
        elif old:
            home = old
            if value is not None and d[old][name] is not None and not isinstance(value, KINDS[old]):
                raise TypeError(f"{name} is in {old}; cannot take a {type(value).__name__}")
        else:
            return object.__setattr__(self, name, value)
        if home not in d:
            raise AttributeError(f"cannot set {name} before super().__init__()")
        if old != home:
            if old:
                del d[old][name]
            d.pop(name, None)
        d[home][name] = value

    def __getattr__(self, name):
        old = registered(self, name)
        if old:
            return self.__dict__[old][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")


# %% answer="registry" name="buffer_keeps_parameter" loses="again"
# A Parameter that is set under the name of a buffer becomes a buffer. What a value is counts more
# than where its name stood.
class Registry(Store):
    def __setattr__(self, name, value):
        d = self.__dict__
        old = registered(self, name)
        if isinstance(value, Parameter) and old != "_buffers":
            home = "_parameters"
        elif isinstance(value, Store):
            home = "_modules"
        elif old:
            home = old
            if value is not None and not isinstance(value, KINDS[old]):
                raise TypeError(f"{name} is in {old}; cannot take a {type(value).__name__}")
        else:
            return object.__setattr__(self, name, value)
        if home not in d:
            raise AttributeError(f"cannot set {name} before super().__init__()")
        if old != home:
            if old:
                del d[old][name]
            d.pop(name, None)
        d[home][name] = value

    def __getattr__(self, name):
        old = registered(self, name)
        if old:
            return self.__dict__[old][name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")


# %% answer="walks" name="mark_at_push" loses="shared"
# A module is marked as seen when its parent is visited, so it keeps its later name. The first way
# to it may lead through a sibling; mark it when you give it.
class Walks:
    def named_modules(self):
        waiting, seen = [("", self)], {id(self)}
        while waiting:
            path, module = waiting.pop()
            yield path, module
            fresh = []
            for name, child in module._modules.items():
                if child is not None and id(child) not in seen:
                    seen.add(id(child))
                    fresh.append((f"{path}.{name}" if path else name, child))
            waiting += reversed(fresh)

    def _collect(self, kind):
        out = {}
        for path, module in self.named_modules():
            for name, t in getattr(module, kind).items():
                if t is not None:
                    out.setdefault(id(t), (f"{path}.{name}" if path else name, t))
        return list(out.values())

    def named_parameters(self):
        return self._collect("_parameters")

    def named_buffers(self):
        return self._collect("_buffers")


# %% answer="walks" name="grad_only" loses="parameters"
# Frozen parameters are left out. They are parameters, and belong into a checkpoint.
class Walks:
    def _walk(self, path, seen):
        if id(self) in seen:
            return
        seen.add(id(self))
        yield path, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child._walk(f"{path}.{name}" if path else name, seen)

    def named_modules(self):
        return self._walk("", set())

    def _collect(self, kind):
        out = {}
        for path, module in self.named_modules():
            for name, t in getattr(module, kind).items():
                if t is not None and (kind == "_buffers" or t.requires_grad):
                    out.setdefault(id(t), (f"{path}.{name}" if path else name, t))
        return list(out.values())

    def named_parameters(self):
        return self._collect("_parameters")

    def named_buffers(self):
        return self._collect("_buffers")


# %% answer="modes" name="apply_uses_return" loses="apply"
# `apply` does not return the module. Whatever `fn` returns, it should, like `train` and `eval`.
class Modes:
    def train(self, mode=True):
        for _, m in self.named_modules():
            m.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        return fn(self) or self


def he(module, rng):
    w = module._parameters.get("weight")
    if w is None or w.ndim != 2:
        return
    b = module._parameters.get("bias")
    with cr.no_grad():
        w.copy_(rng.normal(0, math.sqrt(2 / w.shape[1]), size=w.shape))
        if b is not None:
            b.zero_()


# %% answer="modes" name="plain_bias_too" loses="he_leaves"
# A `bias` that is a plain tensor is zeroed. Look among the parameters.
class Modes:
    def train(self, mode=True):
        for _, m in self.named_modules():
            m.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    w = module._parameters.get("weight")
    if w is None or w.ndim != 2:
        return
    b = getattr(module, "bias", None)
    with cr.no_grad():
        w.copy_(rng.normal(0, math.sqrt(2 / w.shape[1]), size=w.shape))
        if b is not None:
            b.zero_()


# %% answer="modes" name="train_skips_none" loses="train_eval"
# A place that holds None is asked for its modules. Leave it out.
class Modes:
    def train(self, mode=True):
        self.training = mode
        for c in self._modules.values():
            for _, m in c.named_modules():
                m.training = mode
        return self

    def eval(self):
        return self.train(False)

    def apply(self, fn):
        for child in self._modules.values():
            if child is not None:
                child.apply(fn)
        fn(self)
        return self


def he(module, rng):
    w = module._parameters.get("weight")
    if w is None or w.ndim != 2:
        return
    b = module._parameters.get("bias")
    with cr.no_grad():
        w.copy_(rng.normal(0, math.sqrt(2 / w.shape[1]), size=w.shape))
        if b is not None:
            b.zero_()


# %% answer="state" name="prefix_dotted" loses="names"
# A dot is put after the prefix. Names follow the prefix as it is; whoever wants a dot says so.
class State:
    def state_dict(self, prefix=""):
        out = {}
        for d in (self._parameters, self._buffers):
            for n, t in d.items():
                if t is not None:
                    out[(prefix and prefix.rstrip(".") + ".") + n] = t.detach()
        for n, c in self._modules.items():
            if c is not None:
                out.update(c.state_dict(prefix + n + "."))
        return out

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [n for n in own if n not in state]
        unexpected = [n for n in state if n not in own]
        bad = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
        wrong = bad + (missing + unexpected if strict else [])
        if wrong:
            raise cr.StateError(", ".join(wrong))
        with cr.no_grad():
            for n in own:
                if n in state:
                    own[n].copy_(state[n])
        return missing, unexpected


# %% answer="state" name="missing_sorted" loses="lenient"
# The missing names are sorted, or in the order of a set. They come in the order of the module.
class State:
    def state_dict(self, prefix=""):
        out = {}
        for d in (self._parameters, self._buffers):
            for n, t in d.items():
                if t is not None:
                    out[prefix + n] = t.detach()
        for n, c in self._modules.items():
            if c is not None:
                out.update(c.state_dict(prefix + n + "."))
        return out

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = sorted(set(own) - set(state))
        unexpected = [n for n in state if n not in own]
        bad = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
        wrong = bad + (missing + unexpected if strict else [])
        if wrong:
            raise cr.StateError(", ".join(wrong))
        with cr.no_grad():
            for n in own:
                if n in state:
                    own[n].copy_(state[n])
        return missing, unexpected


# %% answer="state" name="buffer_with_history" loses="live"
# Buffers are given as they are, with the history that they may have. Detach them too.
class State:
    def state_dict(self, prefix=""):
        out = {}
        for d in (self._parameters, self._buffers):
            for n, t in d.items():
                if t is not None:
                    out[prefix + n] = t.detach() if d is self._parameters else t
        for n, c in self._modules.items():
            if c is not None:
                out.update(c.state_dict(prefix + n + "."))
        return out

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [n for n in own if n not in state]
        unexpected = [n for n in state if n not in own]
        bad = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
        wrong = bad + (missing + unexpected if strict else [])
        if wrong:
            raise cr.StateError(", ".join(wrong))
        with cr.no_grad():
            for n in own:
                if n in state:
                    own[n].copy_(state[n])
        return missing, unexpected


# %% answer="state" name="all_names_dumped" loses="strict"
# The message names what fits as well. Who reads it looks for what does not.
class State:
    def state_dict(self, prefix=""):
        out = {}
        for d in (self._parameters, self._buffers):
            for n, t in d.items():
                if t is not None:
                    out[prefix + n] = t.detach()
        for n, c in self._modules.items():
            if c is not None:
                out.update(c.state_dict(prefix + n + "."))
        return out

    def load_state_dict(self, state, strict=True):
        own = self.state_dict()
        missing = [n for n in own if n not in state]
        unexpected = [n for n in state if n not in own]
        bad = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
        wrong = bad + (missing + unexpected if strict else [])
        if wrong:
            raise cr.StateError(f"{list(own)} {list(state)}")
        with cr.no_grad():
            for n in own:
                if n in state:
                    own[n].copy_(state[n])
        return missing, unexpected


# %% answer="layers" name="sequential_detaches" loses="sequential"
# Between the modules the history is cut, so the first ones get no gradient.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        k = 1 / math.sqrt(d_in)
        self.weight = Parameter(cr.tensor(rng.uniform(-k, k, (d_out, d_in)), dtype="float32"))
        self.bias = (
            Parameter(cr.tensor(rng.uniform(-k, k, d_out), dtype="float32")) if bias else None
        )

    def forward(self, x):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def forward(self, x):
        for m in self._modules.values():
            x = m(x.detach())
        return x


# %% answer="layers" name="sequential_caches" loses="sequential"
# The last output is given again when the same object comes in, though it may have changed
# meanwhile.
class Linear(Module):
    def __init__(self, d_in, d_out, bias=True, *, rng):
        super().__init__()
        k = 1 / math.sqrt(d_in)
        self.weight = Parameter(cr.tensor(rng.uniform(-k, k, (d_out, d_in)), dtype="float32"))
        self.bias = (
            Parameter(cr.tensor(rng.uniform(-k, k, d_out), dtype="float32")) if bias else None
        )

    def forward(self, x):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


class ReLU(Module):
    def forward(self, x):
        return cr.relu(x)


class Sequential(Module):
    def __init__(self, *modules):
        super().__init__()
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def forward(self, x):
        key = id(x)
        if self.__dict__.get("key") == key:
            return self.value
        for m in self._modules.values():
            x = m(x)
        self.key, self.value = key, x
        return x


# %% answer="blocks" name="forward_called" loses="members"
# A child's `forward` is called instead of the child. Hooks and whatever else a call does are passed
# by.
class TwoLayerNet(Module):
    def __init__(self, D_in, H, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, H, rng=rng)
        self.linear2 = Linear(H, D_out, rng=rng)

    def forward(self, x):
        return self.linear2.forward(cr.relu(self.linear1.forward(x)))


class ParallelBlock(Module):
    def __init__(self, D_in, D_out, *, rng):
        super().__init__()
        self.linear1 = Linear(D_in, D_out, rng=rng)
        self.linear2 = Linear(D_in, D_out, rng=rng)

    def forward(self, x):
        return cr.relu(self.linear1(x) * self.linear2(x))


def parallel_net(D_in, H, D_out, *, rng):
    return Sequential(
        ParallelBlock(D_in, H, rng=rng), ParallelBlock(H, H, rng=rng), Linear(H, D_out, rng=rng)
    )


# %% answer="hooks" name="args_list" loses="told"
# Hooks are told the arguments in a list. They get the tuple.
class Handle:
    def __init__(self, hooks, key):
        self.hooks, self.key = hooks, key

    def remove(self):
        self.hooks.pop(self.key, None)


class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = {}, {}
        self.count = 0

    def _add(self, hooks, hook):
        self.count += 1
        hooks[self.count] = hook
        return Handle(hooks, self.count)

    def register_forward_pre_hook(self, hook):
        return self._add(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return self._add(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for h in list(self.pre_hooks.values()):
            r = h(self, list(args))
            if r is not None:
                args = r if isinstance(r, tuple) else (r,)
        out = self.forward(*args, **kwargs)
        for h in list(self.forward_hooks.values()):
            r = h(self, args, out)
            if r is not None:
                out = r
        return out


# %% answer="hooks" name="skips_removed" loses="meanwhile"
# A hook that another one removes during the call is skipped at once. It is gone from the next call
# on.
class Handle:
    def __init__(self, hooks, key):
        self.hooks, self.key = hooks, key

    def remove(self):
        self.hooks.pop(self.key, None)


class Hooks:
    def __init__(self):
        super().__init__()
        self.pre_hooks, self.forward_hooks = {}, {}
        self.count = 0

    def _add(self, hooks, hook):
        self.count += 1
        hooks[self.count] = hook
        return Handle(hooks, self.count)

    def register_forward_pre_hook(self, hook):
        return self._add(self.pre_hooks, hook)

    def register_forward_hook(self, hook):
        return self._add(self.forward_hooks, hook)

    def __call__(self, *args, **kwargs):
        for h in list(self.pre_hooks.values()):
            r = h(self, args)
            if r is not None:
                args = r if isinstance(r, tuple) else (r,)
        out = self.forward(*args, **kwargs)
        for k, h in list(self.forward_hooks.items()):
            if k not in self.forward_hooks:
                continue
            r = h(self, args, out)
            if r is not None:
                out = r
        return out


# %% answer="carry" name="cached_twin" loses="to_torch"
# The second call gives the twin of the first again. Each call makes a new one.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    s = {n: torch.tensor(v.numpy().copy()) for n, v in net.state_dict().items()}
    h, d = s[NAMES[0]].shape
    global TWIN
    key = (d, h, s[NAMES[2]].shape[0], s[NAMES[0]].dtype)
    if "TWIN" not in globals() or TWIN[0] != key:
        TWIN = key, TorchTwoLayerNet(d, h, s[NAMES[2]].shape[0]).to(s[NAMES[0]].dtype)
    twin = TWIN[1]
    twin.load_state_dict(s)
    return twin


def from_torch(twin, net):
    net.load_state_dict({n: v.numpy().copy() for n, v in twin.state_dict().items()})


def to_keras(net):
    s = net.state_dict()
    return [s[n].numpy().T.copy() for n in NAMES]


def from_keras(weights, net):
    net.load_state_dict({n: np.array(w).T for n, w in zip(NAMES, weights)})


# %% answer="carry" name="bias_alias" loses="to_keras"
# The biases are the net's own memory: `np.ascontiguousarray` copies only what it must.
NAMES = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]


def to_torch(net):
    s = {n: torch.tensor(v.numpy().copy()) for n, v in net.state_dict().items()}
    h, d = s[NAMES[0]].shape
    twin = TorchTwoLayerNet(d, h, s[NAMES[2]].shape[0]).to(s[NAMES[0]].dtype)
    twin.load_state_dict(s)
    return twin


def from_torch(twin, net):
    net.load_state_dict({n: v.numpy().copy() for n, v in twin.state_dict().items()})


def to_keras(net):
    s = net.state_dict()
    return [np.ascontiguousarray(s[n].numpy().T) for n in NAMES]


def from_keras(weights, net):
    net.load_state_dict({n: np.array(w).T for n, w in zip(NAMES, weights)})
