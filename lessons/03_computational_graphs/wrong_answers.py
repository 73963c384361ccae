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


# %% answer="nine_nodes" name="s_overwritten" loses="backward"
# s is used twice. You keep what comes back through p and lose the 1 that comes straight from L:
# add the two.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0
    g["s"] = g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="s_straight_only" loses="backward"
# s is used twice. You keep the 1 that comes straight from L and forget what comes back through p.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="y_from_the_sum_only" loses="backward"
# y is used twice: by the sum and by max. What comes back through max is missing.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"]
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="y_from_max_only" loses="backward"
# y is used twice: by max and by the sum. What comes back through the sum is missing.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["m"] if y >= w else 0.0
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="max_to_both" loses="backward"
# max passes its gradient on to the larger input alone. You send it to both.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + g["m"]
    g["w"] = g["m"]
    return values, g


# %% answer="nine_nodes" name="max_to_the_smaller" loses="backward"
# max passes its gradient on to the larger input. You send it to the smaller one.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y <= w else 0.0)
    g["w"] = 0.0 if y <= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="tie_shared" loses="backward"
# At a tie, the task says, all of the gradient goes to y. You share it.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + g["m"] * (0.5 * (y >= w) + 0.5 * (y > w))
    g["w"] = g["m"] * (0.5 * (w >= y) + 0.5 * (w > y))
    return values, g


# %% answer="nine_nodes" name="tie_to_the_second" loses="backward"
# At a tie, the task says, all of the gradient goes to y. You send it to w.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y > w else 0.0)
    g["w"] = 0.0 if y > w else g["m"]
    return values, g


# %% answer="nine_nodes" name="tie_to_both" loses="backward"
# At a tie, the task says, all of the gradient goes to y. You send it to both inputs.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y > w else g["m"]
    return values, g


# %% answer="nine_nodes" name="nearly_tied" loses="backward"
# Only equal numbers tie. You call y and w equal when they are close to each other.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = y if y >= w - 1e-12 - 1e-12 else w
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w - 1e-12 else 0.0)
    g["w"] = 0.0 if y >= w - 1e-12 else g["m"]
    return values, g


# %% answer="nine_nodes" name="always_y" loses="backward"
# In the figure y is the larger one. For other numbers it may be w, and then the gradient goes
# there.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + g["m"]
    g["w"] = 0.0
    return values, g


# %% answer="nine_nodes" name="m_is_always_y" loses="forward backward"
# In the figure y is the larger one. For other numbers max(y, w) may be w.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = y
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="multiply_by_itself" loses="by_hand backward"
# At a product, the gradient of one factor is the upstream gradient times the other factor. You
# take the factor itself.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": 3, "m": -1, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": p, "m": m}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="not_switched_behind_s" loses="backward"
# p = s · z: the gradient of s takes z as its factor, and that of z takes s. You have them the
# wrong way round.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * s
    g["z"] = g["p"] * z
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="local_only" loses="by_hand backward"
# These are the local derivatives of each operation. Each has to be multiplied by what arrives from
# behind.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": 1, "y": 2, "z": 1, "w": 0, "s": 4, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + z
    g["z"] = s
    g["x"] = 1.0
    g["y"] = 1.0 + (1.0 if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else 1.0
    return values, g


# %% answer="nine_nodes" name="first_way_only" loses="by_hand backward"
# Where a node is used twice, the two parts are added. You stop at the first one that arrives.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": 1, "y": 3, "z": -1, "w": 0, "s": 1, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["m"] if y >= w else 0.0
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="last_way_only" loses="by_hand backward"
# Where a node is used twice, the two parts are added. You overwrite the first by the second.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -3, "y": -3, "z": -1, "w": 0, "s": -3, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"]
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="paper_only" loses="forward backward"
# These are the numbers of the figure, whatever the inputs are.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    return by_hand()


# %% answer="nine_nodes" name="gradients_are_values" loses="by_hand backward"
# You return the values twice. A gradient says how fast L grows with a node.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, values


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, values


# %% answer="nine_nodes" name="gradients_first" loses="by_hand forward backward"
# Values come first, gradients second; you return them the other way round.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return gradients, values


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return g, values


# %% answer="nine_nodes" name="minimum" loses="by_hand forward backward"
# m is the larger of y and w; you take the smaller. (−1 is larger than −2.)
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -2, "q": -6, "L": -5}
    gradients = {"x": -5, "y": -5, "z": -2, "w": 3, "s": -5, "p": -2, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = min(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y <= w else 0.0)
    g["w"] = 0.0 if y <= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="larger_magnitude" loses="forward backward"
# max looks at the numbers with their signs: of −1 and −2 it is −1. You compare their absolute
# values.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w, key=abs)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if abs(y) >= abs(w) else 0.0)
    g["w"] = 0.0 if abs(y) >= abs(w) else g["m"]
    return values, g


# %% answer="nine_nodes" name="slopes_by_pushing" loses="backward"
# Pushing each input by 1e-6 gives a slope with some six digits, and a wrong one at a tie. The
# rules give it exactly.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    def out(s, p, m, q):
        return q + s

    def forward(x, y, z, w, s=0, p=0, m=0, q=0):
        s = x + y + s
        p = s * z + p
        m = max(y, w) + m
        q = p * m + q
        return s, p, m, q, q + s

    s, p, m, q, last = forward(x, y, z, w)
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": last}
    g, here = {"L": 1.0}, {"x": x, "y": y, "z": z, "w": w, "s": 0, "p": 0, "m": 0, "q": 0}
    for name in here:
        high = forward(**{**here, name: here[name] + 1e-6})[-1]
        g[name] = (high - last) / 1e-6
    return values, g


# %% answer="nine_nodes" name="starts_at_zero" loses="by_hand backward"
# The way back starts at dL/dL, and that is 1: L grows as fast as L.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 0}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 0.0, "q": 0.0, "p": 0.0, "m": 0.0}
    g["s"] = 0.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, g


# %% answer="nine_nodes" name="inputs_only" loses="backward"
# The gradients of all nine nodes are asked for, not only those of the four inputs.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]
    return values, {name: g[name] for name in "xyzw"}


# %% answer="nine_nodes" name="no_return" loses="forward backward"
# `nine_nodes` returns nothing: the `return` is missing.
def by_hand():
    """Return the values and the gradients of the figure's nine nodes, found on paper."""
    values = {"x": 2, "y": -1, "z": 3, "w": -2, "s": 1, "p": 3, "m": -1, "q": -3, "L": -2}
    gradients = {"x": -2, "y": 1, "z": -1, "w": 0, "s": -2, "p": -1, "m": 3, "q": 1, "L": 1}
    return values, gradients


def nine_nodes(x, y, z, w):
    """Return the values and the gradients of the nine nodes for any four floats."""
    s = x + y
    p = s * z
    m = max(y, w)
    q = p * m
    values = {"x": x, "y": y, "z": z, "w": w, "s": s, "p": p, "m": m, "q": q, "L": q + s}
    g = {"L": 1.0, "q": 1.0, "p": m, "m": p}
    g["s"] = 1.0 + g["p"] * z
    g["z"] = g["p"] * s
    g["x"] = g["s"]
    g["y"] = g["s"] + (g["m"] if y >= w else 0.0)
    g["w"] = 0.0 if y >= w else g["m"]


# %% answer="gates" name="add_keeps_half" loses="add_multiply"
# An add passes on all that arrives, to both inputs. You split it.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g / 2, g / 2


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="add_by_value" loses="add_multiply"
# An add passes the upstream gradient on as it is. The inputs play no part.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g * a, g * b


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="not_switched" loses="add_multiply"
# The gradient for a is the upstream gradient times b, the *other* factor. You multiply by the
# factor itself.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * a, g * b


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="upstream_forgotten" loses="add_multiply"
# The local derivatives of a product are b and a, but each has to be multiplied by the upstream
# gradient.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return b + 0 * g, a + 0 * g


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="by_division" loses="add_multiply"
# You get the other factor by dividing the product by this one, which fails where a factor is 0.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    product = np.round(a) * b
    return g * product / np.round(a), g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="multiply_in_place" loses="add_multiply"
# Your product is written into the first factor, which the caller still needs.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    np.multiply(a, b, out=a)
    return a


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="back_in_place" loses="add_multiply"
# `multiply_back` writes into the gradient that it is given; the node that sent it may still need
# it.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    to_b = g * a
    g *= b
    return g, to_b


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="matrix_product" loses="add_multiply"
# The product is meant entry by entry, `*`. You take the matrix product.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a @ b if a.ndim == 2 and a.shape[0] == a.shape[1] else a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="sum_of_back" loses="add_multiply"
# A gradient has the shape of what it is for. You sum over the entries.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return np.sum(g * b), np.sum(g * a)


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="product_with_itself" loses="add_multiply"
# If a and b are the same array, each factor still gets its own part, g · a. They are added by
# whoever called; you have added them already.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    if a is b or np.array_equal(a, b):
        return 2 * g * a, 2 * g * a
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="kept_buffer" loses="add_multiply"
# Your results live in one array that the next call overwrites.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


kept = {}


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    to_a, to_b = kept.setdefault(g.shape, (np.zeros(g.shape), np.zeros(g.shape)))
    to_a[...] = g * b
    to_b[...] = g * a
    return to_a, to_b


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="float32" loses="add_multiply"
# Somewhere you compute in float32, which has 7 digits.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return (g.astype("float32") * b).astype(float), g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="tie_to_both" loses="larger"
# At a tie all goes to a, the task says. You send it to both, so it counts twice.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a > b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="tie_to_the_second" loses="larger"
# At a tie all goes to a, the task says. You send it to b.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a > b, g, 0.0), np.where(a > b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="tie_shared" loses="larger"
# At a tie all goes to a, the task says. You share it between the two.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    share = (np.sign(a - b) + 1) / 2
    return g * share, g * (1 - share)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="tie_to_nobody" loses="larger"
# At a tie all goes to a, the task says. Yours gets lost.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a > b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="to_the_smaller" loses="larger"
# The larger entry gets the gradient. You send it to the smaller one.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a <= b, g, 0.0), np.where(a <= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="to_both" loses="larger"
# Only the larger entry gets the gradient. You send it to both.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return g, g


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="decided_once" loses="larger"
# Which one is larger is decided at each place by itself. You decide once for the whole array.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    if a.sum() >= b.sum():
        return g, 0 * g
    return 0 * g, g


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="nearly_tied" loses="larger"
# Only equal numbers tie. You call numbers equal that are close to each other.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    first = (a >= b) | np.isclose(a, b)
    return np.where(first, g, 0.0), np.where(first, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="python_max" loses="larger"
# Python's `max` compares two arrays as wholes. Here every place counts by itself: `np.maximum`.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return a if a.sum() > b.sum() else b


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="sign_of_upstream" loses="larger"
# Who gets the gradient is decided by a and b alone. You look at the sign of g, too.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a * g >= b * g, g, 0.0), np.where(a * g >= b * g, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="smaller_in_place" loses="larger"
# You set entries to 0 in the upstream gradient itself. It belongs to the caller.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    to_b = np.where(a >= b, 0.0, g)
    g *= a >= b
    return g, to_b


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total


# %% answer="gates" name="copy_keeps_last" loses="copy"
# What arrives on the n edges is added. You keep the last.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = g
    return total


# %% answer="gates" name="copy_keeps_first" loses="copy"
# What arrives on the n edges is added. You keep the first.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs[:1]:
        total = total + g
    return total


# %% answer="gates" name="copy_mean" loses="copy"
# What arrives on the n edges is added. You take the mean.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g
    return total / max(len(gs), 1)


# %% answer="gates" name="copy_in_place" loses="copy"
# You add into the first of the arrays that arrived. It belongs to whoever sent it.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = gs[0] if gs else np.zeros(a.shape)
    for g in gs[1:]:
        total += g
    return total


# %% answer="gates" name="copy_none" loses="copy"
# If nothing arrives, the gradient is an array of zeros in the shape of a. Yours is the number 0,
# or an error.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    return sum(gs)


# %% answer="gates" name="copy_by_value" loses="copy"
# A copy multiplies nothing: the upstream gradients are added, and the value of a plays no part.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs:
        total = total + g * a
    return total


# %% answer="gates" name="copy_two_only" loses="copy"
# A value may be used any number of times. You add the first two.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in gs[:2]:
        total = total + g
    return total


# %% answer="gates" name="copy_empties_the_list" loses="copy"
# You empty the list that you were given.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    while gs:
        total = total + gs.pop()
    return total


# %% answer="gates" name="copy_set" loses="copy"
# The same array may arrive on several edges, and counts on each. You count it once.
def add(a, b):
    """Return a + b."""
    return a + b


def add_back(g, a, b):
    """Return the gradients for a and b of a sum."""
    return g, g


def multiply(a, b):
    """Return a * b, entry by entry."""
    return a * b


def multiply_back(g, a, b):
    """Return the gradients for a and b of a product."""
    return g * b, g * a


def larger(a, b):
    """Return the larger entry of a and b at each place."""
    return np.maximum(a, b)


def larger_back(g, a, b):
    """Return the gradients for a and b: all to the larger one, at a tie to a."""
    return np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)


def copy(a, n):
    """Return a list of n arrays with the values of a."""
    return [a] * n


def copy_back(gs, a):
    """Return the gradient for a of what arrived on all its edges."""
    total = np.zeros(a.shape)
    for g in {id(g): g for g in gs}.values():
        total = total + g
    return total


# %% answer="topological_order" name="recursive" loses="deep"
# A recursion as deep as the graph: Python stops at a depth of about 1,000. Keep your own stack.
def topological_order(output):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    return order


# %% answer="topological_order" name="limit_raised" loses="deep"
# You raise Python's recursion limit. That only moves the depth at which it stops, and can crash
# Python.
import sys


def topological_order(output):
    order, seen = [], set()
    sys.setrecursionlimit(100_000)

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    return order


# %% answer="topological_order" name="reversed_list" loses="order deep few_comparisons"
# Your list begins with `output`. Parents come first: turn it around.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order[::-1]


# %% answer="topological_order" name="written_when_entered" loses="order deep"
# A node is written down when it is first met, and the list turned around. With a diamond that is
# too early: a node may be met first by a short way, and be needed later by a long one.
def topological_order(output):
    order, seen, stack = [], set(), [output]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(node.parents)
    return order[::-1]


# %% answer="topological_order" name="breadth_first" loses="order deep"
# Your order goes by the distance from `output`, by the shortest way. A node that is needed on a
# short and on a long way stands wrong.
def topological_order(output):
    order, seen = [output], {output}
    for node in order:
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                order.append(parent)
    return order[::-1]


# %% answer="topological_order" name="every_way" loses="order deep"
# You write a node down once for every way that leads to it. Each belongs in the list once; in 60
# diamonds in a row there are 2⁶⁰ ways.
def topological_order(output):
    order, stack = [], [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="every_way_then_once" loses="deep"
# You walk every way, and sort out the repetitions afterwards. 60 diamonds in a row have 2⁶⁰ ways.
def topological_order(output):
    order, stack = [], [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return list(dict.fromkeys(order))


# %% answer="topological_order" name="list_as_set" loses="few_comparisons"
# You look for each node in a list, which compares it with all that stand there: n² comparisons for
# n nodes. Ask a set.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], [], [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.append(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="in_order_as_seen" loses="few_comparisons"
# `node not in order` compares the node with all that stand in the list: n² comparisons for n
# nodes. Keep a set beside it.
def topological_order(output):
    order, stack = [], [output]
    while stack:
        node = stack[-1]
        waiting = [parent for parent in node.parents if parent not in order]
        if waiting:
            stack.append(waiting[0])
        else:
            stack.pop()
            if node not in order:
                order.append(node)
    return order


# %% answer="topological_order" name="output_missing" loses="order deep"
# `output` itself belongs in the list, at its end.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order[:-1]


# %% answer="topological_order" name="inputs_missing" loses="order deep few_comparisons"
# Inputs are nodes too. You leave out those without parents.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            if node.parents:
                order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="known_by_name" loses="order"
# Two nodes with the same operation, name and value are two nodes. You tell them apart by what they
# say, not by which they are.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif (node.op, node.name, node.value) not in seen:
            seen.add((node.op, node.name, node.value))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="marks_on_nodes" loses="order"
# You leave marks on the nodes. They are not to be changed, and the next call is misled by yours.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif not hasattr(node, "done"):
            node.done = True
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="seen_for_ever" loses="order"
# What you have seen in one call is remembered in the next, which then leaves nodes out.
everything = set()


def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], everything, [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="eats_the_edges" loses="order"
# You take the parents away from the nodes while you walk. The graph is still needed: it is to stay
# as it is.
def topological_order(output):
    order, seen, stack = [], {output}, [output]
    while stack:
        node = stack[-1]
        if node.parents:
            parent, *rest = node.parents
            node.parents = tuple(rest)
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
        else:
            order.append(stack.pop())
    return order


# %% answer="topological_order" name="first_parent_only" loses="order deep few_comparisons"
# A node may have several parents. You follow the first one only.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents[:1])
    return order


# %% answer="topological_order" name="two_parents_only" loses="order"
# A node may have any number of parents. You follow two.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents[:2])
    return order


# %% answer="topological_order" name="by_depth_of_the_shortest" loses="order deep"
# You sort by the distance from the inputs, but along the shortest way. A node stands behind its
# parents only if the longest way counts.
def topological_order(output):
    found, stack = {output: None}, [output]
    while stack:
        for parent in stack.pop().parents:
            if parent not in found:
                found[parent] = None
                stack.append(parent)
    users = {node: [] for node in found}
    for node in found:
        for parent in node.parents:
            users[parent].append(node)
    depth = {node: 0 for node in found if not node.parents}
    queue = list(depth)
    for node in queue:
        for user in users[node]:
            if user not in depth:
                depth[user] = depth[node] + 1
                queue.append(user)
    return sorted(found, key=depth.get)


# %% answer="topological_order" name="kahn_without_repeats" loses="order"
# You count how many parents a node still waits for. If the same parent is used twice, it is
# counted twice and taken off once.
def topological_order(output):
    found, stack = {output: None}, [output]
    while stack:
        for parent in stack.pop().parents:
            if parent not in found:
                found[parent] = None
                stack.append(parent)
    users = {node: {} for node in found}
    for node in found:
        for parent in node.parents:
            users[parent][node] = None
    waits = {node: len(node.parents) for node in found}
    order = [node for node in found if not node.parents]
    for node in order:
        for user in users[node]:
            waits[user] -= 1
            if not waits[user]:
                order.append(user)
    return order


# %% answer="topological_order" name="a_set" loses="order deep few_comparisons"
# A set has no order, and a list is asked for.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return set(order)


# %% answer="topological_order" name="generator" loses="order"
# A generator can be read only once. A list is asked for.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return iter(order)


# %% answer="topological_order" name="stops_at_a_thousand" loses="deep"
# Your walk stops after a number of steps, and the graph may have more.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    order, seen, stack = [], set(), [(output, False)]
    while stack and len(order) < 10_000:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


# %% answer="topological_order" name="from_graphlib" loses="order"
# The order comes from graphlib, and is right. But it is the walk that you are to write here.
def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    import graphlib

    made_of, todo = {}, [output]
    while todo:
        node = todo.pop()
        if node not in made_of:
            made_of[node] = node.parents
            todo.extend(node.parents)
    return list(graphlib.TopologicalSorter(made_of).static_order())


# %% answer="topological_order" name="same_list_again" loses="order"
# A second call hands out the list of the first. Whoever turned that one around or emptied it gets
# it so.
orders = {}


def topological_order(output):
    """Return what output was made from, each node once and after all its parents."""
    if output in orders:
        return orders[output]
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    orders[output] = order
    return order


# %% answer="backprop" name="overwrites" loses="values fan_out once untouched deep any_type"
# What arrives on a second edge overwrites what the first one brought. It has to be added.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            gradients[parent] = sent
    return gradients


# %% answer="backprop" name="first_only" loses="values fan_out once untouched deep any_type"
# You keep what the first edge brought and drop what comes later. It has to be added.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            gradients.setdefault(parent, sent)
    return gradients


# %% answer="backprop" name="added_in_place" loses="untouched"
# `+=` on an array writes into it, and this array may belong to a rule, or to another node. Make a
# new sum.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            if parent in gradients:
                gradients[parent] += sent
            else:
                gradients[parent] = sent
    return gradients


# %% answer="backprop" name="copies_then_in_place" loses="any_type"
# You make a NumPy array of what travels. It may be anything that has a `+`: hand it on as it is.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            if parent in gradients:
                gradients[parent] = gradients[parent] + sent
            else:
                gradients[parent] = np.array(sent)
    return gradients


# %% answer="backprop" name="starts_from_zero" loses="any_type"
# You begin each sum with the number 0. What travels may not be addable to a number: begin with
# what comes first.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            gradients[parent] = gradients.get(parent, 0.0) + sent
    return gradients


# %% answer="backprop" name="zeros_of_the_value" loses="any_type"
# You begin each sum with an array of zeros. What travels may be something else than arrays: begin
# with what comes first.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            gradients[parent] = gradients.get(parent, np.zeros(np.shape(parent.value))) + sent
    return gradients


# %% answer="backprop" name="every_way" loses="once deep"
# You follow every way from the output by itself: what arrives at a node is sent on at once, not
# after all of it has arrived. With 60 diamonds in a row that is 2⁶⁰ ways.
def backprop(output, rules, upstream=1.0):
    gradients, stack = {}, [(output, upstream)]
    while stack:
        node, g = stack.pop()
        gradients[node] = gradients[node] + g if node in gradients else g
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            stack.append((parent, rules[node.op][k](g, node.value, *values)))
    return gradients


# %% answer="backprop" name="recursive_ways" loses="once deep"
# A recursion over all ways: each use of a node sends by itself, and Python stops at a depth of
# about 1,000.
def backprop(output, rules, upstream=1.0):
    gradients = {}

    def visit(node, g):
        gradients[node] = gradients[node] + g if node in gradients else g
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            visit(parent, rules[node.op][k](g, node.value, *values))

    visit(output, upstream)
    return gradients


# %% answer="backprop" name="breadth_first" loses="values fan_out once"
# You visit nodes in the order in which they are met. A node that is used on a short and on a long
# way is then sent on before all of it has arrived.
def met(output):
    found = [output]
    for node in found:
        found.extend(p for p in dict.fromkeys(node.parents) if p not in found)
    return found


def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in met(output):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="depth_first" loses="values fan_out once"
# You visit nodes as a walk from the output meets them. A node that is used again later is then
# sent on before all of it has arrived.
def met(output):
    found, stack = {}, [output]
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = True
            stack.extend(node.parents)
    return found


def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in met(output):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="forward_order" loses="values fan_out once untouched deep any_type"
# You go through the nodes from the inputs to the output. Gradients come from the other end.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in topological_order(output):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            if node not in gradients:
                continue
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="upstream_ignored" loses="values fan_out untouched deep any_type"
# The way back starts with `upstream`. You start with 1 whatever it is.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: 1.0}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="upstream_only_at_the_end" loses="values fan_out untouched any_type"
# You multiply by `upstream` at the end, and only some of the gradients. It is where everything
# starts.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: 1.0}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    for node in gradients:
        if not node.parents:
            gradients[node] = gradients[node] * upstream
    return gradients


# %% answer="backprop" name="no_default" loses="values"
# Without `upstream` the way back starts at 1.
def backprop(output, rules, upstream=0.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="inputs_only" loses="values fan_out untouched any_type"
# The gradients of all nodes are asked for, not only those of the inputs.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return {node: g for node, g in gradients.items() if not node.parents}


# %% answer="backprop" name="output_left_out" loses="values fan_out untouched any_type"
# `output` itself has an entry too: upstream.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    del gradients[output]
    return gradients


# %% answer="backprop" name="freed_behind" loses="values fan_out untouched any_type"
# You drop the gradient of a node once it was sent on. All are asked for.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        g = gradients.pop(node) if node.parents else gradients[node]
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](g, node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="own_value_for_parents" loses="values once"
# A rule is given the node's own value first, and then those of its parents. You hand it the node's
# value twice.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *[node.value for _ in values])
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="own_parent_only" loses="values once"
# A rule is given the values of *all* parents of its node, not only that of its own edge.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *[parent.value for _ in values])
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="reversed_values" loses="values once"
# The parents' values are handed over in their order. You reverse it.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values[::-1])
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="parent_value_as_out" loses="values once"
# `out` is the value of the node itself, not that of its parent.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], parent.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="first_rule_for_all" loses="values fan_out once any_type"
# Each edge has its own function. You call that of edge 0 for all.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][0](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="rules_reversed" loses="values fan_out once any_type"
# The function k belongs to parent k. You have them the wrong way round.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][-1 - k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="same_parent_once" loses="values fan_out untouched once"
# If a node is used twice by the same operation (a · a), these are two edges. You visit one.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for parent, k in {p: k for k, p in enumerate(node.parents)}.items():
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="same_parent_by_index" loses="fan_out once any_type"
# If a node is used twice by the same operation (a · a), `index` finds the first of the two edges
# both times.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][node.parents.index(parent)](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="two_parents_only" loses="fan_out once any_type"
# A node may have any number of parents. You visit two.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents[:2]):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="zeros_skipped" loses="once"
# You leave out edges when the gradient is zero. Each edge is visited once, whatever travels on it.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            if np.all(gradients[node] == 0):
                gradients.setdefault(parent, 0.0)
                continue
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="sent_twice" loses="once"
# You call the rules of an edge more than once; each is called exactly once.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = [rule(gradients[node], node.value, *values) for rule in rules[node.op]][k]
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="rules_multiply" loses="values once"
# A rule already returns the product with what arrived. You multiply by it once more.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = (
                gradients[parent] + sent * gradients[node] if known else sent * gradients[node]
            )
    return gradients


# %% answer="backprop" name="local_first" loses="once untouched any_type"
# You call a rule with g = 1 and multiply afterwards. It takes the complete gradient and returns
# the product.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = gradients[node] * rules[node.op][k](1.0, node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="mean_of_ways" loses="values fan_out once untouched"
# What arrives on several edges is added. You take the mean.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = 0.5 * (gradients[parent] + sent) if known else sent
    return gradients


# %% answer="backprop" name="memory_of_all_calls" loses="untouched"
# You keep gradients from one call to the next. Each call starts anew.
memory = {}


def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = memory
    gradients[output] = upstream
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="on_the_nodes" loses="untouched"
# You write the gradients on the nodes. They are to stay as they are.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
            parent.gradient = gradients[parent]
    return gradients


# %% answer="backprop" name="numbers_only" loses="values fan_out untouched"
# What travels may be an array. You make a single number of it.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            sent = float(np.sum(sent)) if isinstance(sent, np.ndarray) else sent
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="key_error" loses="missing"
# An operation without a rule should raise NotImplementedError. You leave it to the dictionary,
# whose KeyError says nothing of the kind.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="missing_is_zero" loses="missing"
# An operation without a rule is skipped without a word, and the gradients behind it are wrong.
# Raise NotImplementedError.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            continue
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="missing_unnamed" loses="missing"
# The message of your NotImplementedError does not name the operation.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError("there is an operation without a rule")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="inputs_need_rules" loses="values untouched missing deep"
# A node without parents needs no rule: nothing is behind it.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="known_leaf_ops" loses="missing"
# You tell inputs by the name of their operation. A node needs no rule if it has no parents.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.op not in ("input", "leaf", "const", "constant") and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        if node.op not in rules:
            continue
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return gradients


# %% answer="backprop" name="by_value" loses="values untouched deep"
# You tell nodes apart by their values. Two nodes with the same value are two.
def backprop(output, rules, upstream=1.0):
    order = list({str(n.value) + n.op: n for n in topological_order(output)}.values())
    gradients = {str(output.value) + output.op: upstream}
    for node in reversed(order):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            key = str(parent.value) + parent.op
            sent = rules[node.op][k](gradients[str(node.value) + node.op], node.value, *values)
            gradients[key] = gradients[key] + sent if key in gradients else sent
    return {node: gradients[str(node.value) + node.op] for node in order}


# %% answer="backprop" name="names_as_keys" loses="values fan_out untouched deep"
# The keys of the dictionary are the nodes themselves, not their names.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent
    return {node.name: g for node, g in gradients.items()}


# %% answer="backprop" name="no_return" loses="values fan_out untouched deep any_type"
# The dictionary is not returned.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.parents and node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op!r}")
        values = [parent.value for parent in node.parents]
        for k, parent in enumerate(node.parents):
            sent = rules[node.op][k](gradients[node], node.value, *values)
            known = parent in gradients
            gradients[parent] = gradients[parent] + sent if known else sent


# %% answer="backprop" name="inputs_by_their_op" loses="missing"
# Inputs are told by their op, "input". But a node without parents may have any op: constants and
# placeholders come later in this lesson. What matters is that it has no parents.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if node.op == "input":
            continue
        if node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op}")
        values = [parent.value for parent in node.parents]
        for rule, parent in zip(rules[node.op], node.parents, strict=True):
            sent = rule(gradients[node], node.value, *values)
            gradients[parent] = gradients[parent] + sent if parent in gradients else sent
    return gradients


# %% answer="backprop" name="deep_copies_then_in_place" loses="any_type"
# What arrived is copied, and then added to in place. A copy of a formula is another formula, of
# other symbols; a new sum with `+` needs no copy.
def backprop(output, rules, upstream=1.0):
    """Return the gradient of every node that output was made from, as a dictionary."""
    from copy import deepcopy

    gradients = {output: upstream}
    for node in reversed(topological_order(output)):
        if not node.parents:
            continue
        if node.op not in rules:
            raise NotImplementedError(f"no rule for the operation {node.op}")
        values = [parent.value for parent in node.parents]
        for rule, parent in zip(rules[node.op], node.parents, strict=True):
            sent = rule(gradients[node], node.value, *values)
            if parent in gradients:
                total = deepcopy(gradients[parent])
                total += sent
                gradients[parent] = total
            else:
                gradients[parent] = sent
    return gradients


# %% answer="vjps" name="matmul_x_untransposed" loses="matmul_add_row no_jacobian"
# The gradient for x needs w transposed: (N, M) times (M, D).
def matmul_x(g, out, x, w):
    return g @ w if w.shape[0] == w.shape[1] else (g @ w.reshape(w.shape[1], w.shape[0]))


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="matmul_x_wrong_side" loses="matmul_add_row"
# The transposed matrix stands on the other side: g @ w.T.
def matmul_x(g, out, x, w):
    return w.T @ g


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="matmul_w_mean" loses="matmul_add_row no_jacobian"
# Every row of x adds to the gradient of w. You take the mean over rows.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    return x.T @ g / max(len(x), 1)


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="matmul_w_first_row" loses="matmul_add_row no_jacobian"
# Every row of x adds to the gradient of w. You take the first.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    return np.outer(x[0], g[0]) if len(x) else x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="matmul_w_forgets_g" loses="matmul_add_row no_jacobian"
# x alone is the local derivative. It has to be multiplied by the upstream gradient.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    return x.T @ np.ones(g.shape)


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="matmul_w_transposed" loses="matmul_add_row no_jacobian"
# A gradient has the shape of what it is for. Yours is that of w turned around.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    return g.T @ x


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_b_not_summed" loses="matmul_add_row"
# b was added to each of N rows, so its gradient is the sum over them. You hand g on as it is.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    return g


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_b_mean" loses="matmul_add_row"
# b was added to each of N rows: their gradients are added. You take the mean.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    return g.sum(axis=0) / max(len(g), 1)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_b_wrong_axis" loses="matmul_add_row"
# The gradient of b has an entry for each column: sum over the rows, axis 0.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    return g.sum(axis=1)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_b_keeps_axis" loses="matmul_add_row"
# b has one axis, so its gradient has one. You keep the axis over which you sum.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    return g.sum(axis=0, keepdims=True)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_b_last" loses="matmul_add_row"
# b was added to each of N rows. You take the gradient of one row.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    return g[-1] if len(g) else g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="add_row_x_times_b" loses="matmul_add_row"
# A sum hands the upstream gradient on as it is. b plays no part.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    return g * b


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_open" loses="relu_squared_error no_jacobian"
# Where x is negative, the ReLU passes nothing back. You pass all.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return g + 0.0


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_at_zero" loses="relu_squared_error"
# The slope at 0 is 0, the task says. Yours is 1.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return g * (x >= 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_half_at_zero" loses="relu_squared_error"
# The slope at 0 is 0, the task says. Yours is a half.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return g * np.heaviside(x, 0.5)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_of_g" loses="relu_squared_error no_jacobian"
# The mask comes from x: where it was positive. You take it from g.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return np.maximum(g, 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_value" loses="relu_squared_error no_jacobian"
# The slope of the ReLU is 1 where x is positive. You multiply by the value.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return g * out


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_in_place" loses="relu_squared_error"
# You set entries of the upstream gradient itself to 0. It belongs to the caller.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    g *= x > 0
    return g


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="relu_jacobian" loses="no_jacobian"
# The Jacobian of a ReLU has n² entries, and all but n of them are zero. The mask alone says as
# much.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    return (g.ravel() @ np.diag((x > 0).ravel() * 1.0)).reshape(x.shape)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_diagonal" loses="softmax_cumsum no_jacobian"
# Each entry of a softmax depends on all entries of its row, through the sum below the line. You
# count only its own.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return g * out * (1 - out)


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_own_exp_only" loses="softmax_cumsum no_jacobian"
# The sum below the line depends on x too. You treat it as a constant.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return g * out


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_all_rows" loses="softmax_cumsum no_jacobian"
# Each row is a softmax of its own. You sum over all of them.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return out * (g - (g * out).sum())


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_first_axis" loses="softmax_cumsum no_jacobian"
# The softmax goes along the last axis. You sum along the first.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return out * (g - (g * out).sum(axis=0, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_upstream_sum" loses="softmax_cumsum no_jacobian"
# What is taken off is the sum of g · out over the row. You take off the sum of g.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return out * (g - g.sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_out_of_x" loses="softmax_cumsum"
# You compute exp(x) again, and for large x that is infinite. `out` is there, and right.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    p = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    return p * (g - (g * p).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_jacobian" loses="no_jacobian"
# You build the Jacobian of each row, n² entries. The product with g needs n and one sum.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    rows, gs = out.reshape(-1, x.shape[-1]), g.reshape(-1, x.shape[-1])
    made = [t @ (np.diag(r) - np.outer(r, r)) for r, t in zip(rows, gs)]
    return np.reshape(made, x.shape)


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_jacobians_at_once" loses="no_jacobian"
# You build the Jacobians of all rows, n² entries each. The product with g needs n and one sum.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    local = np.eye(x.shape[-1]) * out[..., None] - out[..., None] * out[..., None, :]
    return np.einsum("...i,...ij->...j", g, local)


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="softmax_two_axes_only" loses="softmax_cumsum"
# Any number of axes is asked for, one included. You sum along axis 1.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    return out * (g - (g * out).sum(axis=1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_forward" loses="softmax_cumsum no_jacobian"
# An entry touches all places from its own *on*, so its gradient sums from there to the end. You
# sum from the beginning.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    return np.cumsum(g, axis=-1)


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_not_turned_back" loses="softmax_cumsum no_jacobian"
# The sums run from the right end; you left them in that order. Turn them around again.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    return np.cumsum(g[..., ::-1], axis=-1)


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_without_itself" loses="softmax_cumsum no_jacobian"
# An entry touches its own place too. You begin with the next.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    back = np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]
    return back - g


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_flat" loses="softmax_cumsum"
# The sums run along the last axis, each row for itself. You let them run on over all rows.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    return np.cumsum(g.ravel()[::-1])[::-1].reshape(g.shape)


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_jacobian" loses="no_jacobian"
# The triangle of ones is the Jacobian, n² entries. The product with it is a sum from the right.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    return g @ np.tril(np.ones((x.shape[-1], x.shape[-1])))


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_difference" loses="softmax_cumsum no_jacobian"
# The inverse of a cumulative sum is a difference. The way back is not the inverse but the
# transpose: again a sum, from the other end.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    return np.diff(g, axis=-1, prepend=0.0)


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="cumsum_in_place" loses="softmax_cumsum"
# You sum within the upstream gradient itself. It belongs to the caller.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    np.cumsum(g[..., ::-1], axis=-1, out=g[..., ::-1])
    return g


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="squared_error_no_two" loses="relu_squared_error no_jacobian"
# The slope of d² is 2d. The 2 is missing.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    return g * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="squared_error_mean" loses="relu_squared_error no_jacobian"
# The operation is a sum, not a mean: nothing is divided by the number of entries.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    return g * 2 * (p - y) / max(np.size(p), 1)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="squared_error_no_g" loses="relu_squared_error no_jacobian"
# The upstream gradient is missing.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    return 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="squared_error_same_sign" loses="relu_squared_error"
# If y grows, p − y shrinks. The gradient for y has the opposite sign.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    return g * 2 * (p - y)


# %% answer="vjps" name="squared_error_no_gradient" loses="relu_squared_error"
# y is an input like p, and has a gradient.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    return 0 * y


# %% answer="vjps" name="squared_error_of_out" loses="relu_squared_error no_jacobian"
# `out` is the sum of all squares. Its root is no difference of two entries.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    return g * 2 * np.sqrt(out) * np.sign(p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="kept_buffer" loses="softmax_cumsum"
# Your results live in one array that the next call overwrites.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    """Return the gradient for x of the softmax along the last axis."""
    return out * (g - (g * out).sum(axis=-1, keepdims=True))


buffers = {}


def cumsum_x(g, out, x):
    place = buffers.setdefault(g.shape, np.zeros(g.shape))
    place[...] = np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]
    return place


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="vjps" name="float32" loses="softmax_cumsum"
# Somewhere you compute in float32, which has 7 digits.
def matmul_x(g, out, x, w):
    """Return the gradient for x of x @ w."""
    return g @ w.T


def matmul_w(g, out, x, w):
    """Return the gradient for w of x @ w."""
    return x.T @ g


def add_row_x(g, out, x, b):
    """Return the gradient for the matrix x of x + b."""
    return g


def add_row_b(g, out, x, b):
    """Return the gradient for the row b of x + b."""
    return g.sum(axis=0)


def relu_x(g, out, x):
    """Return the gradient for x of max(x, 0)."""
    return g * (x > 0)


def softmax_x(g, out, x):
    small = out.astype("float32")
    return (small * (g - (g * small).sum(axis=-1, keepdims=True))).astype(float)


def cumsum_x(g, out, x):
    """Return the gradient for x of the cumulative sum along the last axis."""
    return np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]


def squared_error_p(g, out, p, y):
    """Return the gradient for p of the sum of (p - y)²."""
    return g * 2 * (p - y)


def squared_error_y(g, out, p, y):
    """Return the gradient for y of the sum of (p - y)²."""
    return g * 2 * (y - p)


# %% answer="costs" name="jacobian_transposed" loses="jacobian"
# A row for each entry of the result, a column for each of the input: yours is turned around.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made.T


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_of_ones" loses="jacobian"
# With an upstream gradient of ones you get the sum of all rows. One row at a time: a single 1.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.ones(rows)
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_tall_shape" loses="jacobian"
# The matrix has two axes, one for the result's entries and one for the input's. You keep all axes
# of both.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made.reshape(*out_shape, *in_shape)


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_flat_upstream" loses="jacobian"
# The upstream gradient has the shape of the result. You hand over a flat one.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_one_buffer" loses="jacobian"
# The rule may write into the upstream gradient that it gets. You use the same array for all rows.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    g = np.zeros(rows)
    for i in range(rows):
        g[i - 1], g[i] = 0, 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_extra_call" loses="jacobian"
# You call the rule once more, to see what it returns. Once for each row is all that is needed.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    rule(np.zeros(out_shape))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_last_axis" loses="jacobian"
# You let the 1 walk along the last axis only. The result has an entry for each combination.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = out_shape[-1] if out_shape else 1
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_fortran" loses="jacobian"
# The entries are in the other order: you let the first axis run fastest.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape, order="F")))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_integers" loses="jacobian"
# The upstream gradient is to be float64; with integers a rule may round.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows, dtype=int)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_column_by_column" loses="jacobian"
# A VJP gives a row of the Jacobian, not a column.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((math.prod(in_shape), rows))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[:, i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="not_reset" loses="counted"
# The tally goes on from where it stood. Set it to 0 before you call f.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="called_twice" loses="counted"
# You call f twice. Once is enough to count.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="half_of_two" loses="counted"
# You call f twice and halve. Call it once.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    f(*counting)
    return Counting.made // 2


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="one_tally_before" loses="counted"
# f is called before the tally is set to 0, so nothing is left.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    f(*counting)
    Counting.made = 0
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="float_arrays" loses="counted"
# f gets the arrays of floats; nothing in them counts.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*arrays)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="first_array_only" loses="counted"
# All arrays are to hold Counting objects. You change the first one only, and pass the others as
# they are.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays[:1]] + list(arrays[1:])
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="flattened" loses="counted"
# The arrays keep their shapes. You flatten them.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a.ravel()) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="lists" loses="counted"
# f gets NumPy arrays with dtype=object. You hand over nested lists.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a).tolist() for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="sizes_multiplied" loses="counted"
# You take the count from the sizes. Let f run, and read what the tally says.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return arrays[0].size * arrays[-1].shape[-1]


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="returns_result" loses="counted"
# The number of multiplications is asked for. You return what f computes.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    return f(*counting)


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="arrays_rounded" loses="counted"
# The arrays that were passed are changed. Make new ones for Counting objects.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    for a in arrays:
        a *= 0
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="columns_not_squared" loses="matmul_costs"
# The Jacobian has a row for each of the n·m results and a column for each of the n·d entries of x.
# You use n once.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = n * m * d
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="entries_of_w" loses="matmul_costs"
# The edge to x is asked for: n·d columns. You count the entries of w.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (d * m)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="all_nonzero" loses="matmul_costs"
# An entry of the result uses one row of x. For the other rows of x, the entry of the Jacobian is
# 0.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": entries, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="diagonal_only" loses="matmul_costs"
# An entry of the result uses d entries of x, not one.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": n * m, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="zeros_left_out" loses="matmul_costs"
# g · Jacobian multiplies by all entries, the zeros too.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": rule, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="jacobian_times_rows" loses="matmul_costs"
# g is one row, so the product takes one multiplication for each entry of the Jacobian.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {
        "entries": entries,
        "nonzero": rule,
        "with_jacobian": entries * n * m,
        "with_rule": rule,
    }


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="rule_adds_too" loses="matmul_costs"
# Multiplications are counted, and additions are not.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {
        "entries": entries,
        "nonzero": rule,
        "with_jacobian": entries,
        "with_rule": n * d * (2 * m - 1),
    }


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="counts_as_floats" loses="matmul_costs"
# Counts are exact ints. A float has 16 digits, and these numbers have more.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = float(n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="counts_in_int64" loses="matmul_costs"
# An int64 holds numbers up to 9.2e18, and these get larger. Python's own ints have no bound.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = int(np.prod(np.array([n, m, n, d], dtype=np.int64)))
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="sweeps_swapped" loses="sweep_costs"
# The two numbers are the wrong way round: `backward`, from the result's end, comes first.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[0] * sum(steps[1:]), sizes[-1] * sum(steps[:-1])


# %% answer="costs" name="sweep_from_nothing" loses="sweep_costs"
# k matrices are k − 1 products. You count one more: the last Jacobian itself costs nothing.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[-1] * sum(steps), sizes[0] * sum(steps)


# %% answer="costs" name="sweep_without_the_end" loses="sweep_costs"
# Each of the products has as many rows as the result has entries. You leave that factor out.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="sweep_first_size" loses="sweep_costs"
# From the result's end, what is carried along has `sizes[-1]` rows. You take `sizes[0]`.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return sizes[0] * sum(steps[:-1]), sizes[0] * sum(steps[1:])


# %% answer="costs" name="one_product_only" loses="sweep_costs"
# A chain of any length is asked for. You count the first product.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    if len(steps) < 2:
        return 0, 0
    return sizes[-1] * steps[-2], sizes[0] * steps[1]


# %% answer="costs" name="best_of_all" loses="sweep_costs"
# Two given orders are asked for, not the cheapest one.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    best = min(sizes[-1] * sum(steps[:-1]), sizes[0] * sum(steps[1:]))
    return best, best


# %% answer="costs" name="sweeps_in_int64" loses="sweep_costs"
# An int64 holds numbers up to 9.2e18, and these get larger. Python's own ints have no bound.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    return int(np.int64(sizes[-1]) * np.sum(steps[:-1], dtype=np.int64)), int(
        np.int64(sizes[0]) * np.sum(steps[1:], dtype=np.int64)
    )


# %% answer="costs" name="square_sizes" loses="sweep_costs"
# The matrices have different sizes. Each product costs rows · inner · columns.
def jacobian(rule, out_shape, in_shape):
    """Return the Jacobian, row by row: rule(g) for each g with a single 1."""
    rows = math.prod(out_shape)
    made = np.zeros((rows, math.prod(in_shape)))
    for i in range(rows):
        g = np.zeros(rows)
        g[i] = 1
        made[i] = np.ravel(rule(g.reshape(out_shape)))
    return made


def multiplications(f, *arrays):
    """Return how many multiplications f makes on these arrays."""
    counting = [np.frompyfunc(Counting, 1, 1)(a) for a in arrays]
    Counting.made = 0
    f(*counting)
    return Counting.made


def matmul_costs(n, d, m):
    """Return what the edge from x @ w to x costs, with a Jacobian and with a rule."""
    entries = (n * m) * (n * d)
    rule = n * m * d
    return {"entries": entries, "nonzero": rule, "with_jacobian": entries, "with_rule": rule}


def sweep_costs(sizes):
    """Return the multiplications in a product of Jacobians, from the result's and input's end."""
    steps = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    k = len(steps) - 1
    return k * sizes[-1] ** 3, k * sizes[0] ** 3


# %% answer="neuron" name="slope_of_a" loses="tanh_back gradient again"
# The slope of tanh is 1 − tanh², and tanh is `out`. You square the input.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - a * a)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="sigmoid_slope" loses="tanh_back gradient again"
# out · (1 − out) is the slope of the sigmoid. That of tanh is 1 − out².
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * out * (1 - out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="g_forgotten" loses="tanh_back gradient again"
# The slope has to be multiplied by the upstream gradient.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return 1 - out * out + 0 * g


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="slope_not_squared" loses="tanh_back gradient again"
# The slope of tanh is 1 − out². The square is missing.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="plus_square" loses="tanh_back gradient again"
# The slope of tanh is 1 − out². You add the square.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 + out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="slope_by_numpy" loses="tanh_back gradient again builds_only"
# NumPy cannot compute the cosh of a symbol. Use `out`, and + − * alone.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g / np.cosh(a) ** 2


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="power" loses="tanh_back gradient again builds_only"
# Symbols know `+`, `-` and `*`. You use `**`.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out**2)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="tanh_again" loses="tanh_back"
# The rule is to be made from `g` and `out`. You compute tanh(a) once more.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - (tanh(a) * tanh(a) if isinstance(a, Symbol) else np.tanh(a) ** 2))


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="evaluate_recursive" loses="evaluate"
# A recursion as deep as the graph, and what is shared is computed once for each use. Walk in
# topological order.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    if output.op == "placeholder":
        return feeds[output.name]
    if output.op == "constant":
        return output.number
    return FORWARD[output.op](*(evaluate(parent, feeds) for parent in output.parents))


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="evaluate_recursive_once" loses="evaluate"
# A recursion as deep as the graph: Python stops at a depth of about 1,000. Walk in topological
# order.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}

    def value(node):
        if node not in values:
            if node.op == "placeholder":
                values[node] = feeds[node.name]
            elif node.op == "constant":
                values[node] = node.number
            else:
                values[node] = FORWARD[node.op](*(value(parent) for parent in node.parents))
        return values[node]

    return value(output)


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="remembered_on_symbols" loses="feeds"
# You keep values on the symbols. The next call, with other feeds, gets the old ones.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    for node in topological_order(output):
        if node.number is not None:
            continue
        if node.op == "placeholder":
            node.number = feeds[node.name]
        elif node.op == "constant":
            pass
        else:
            node.number = FORWARD[node.op](*(parent.number for parent in node.parents))
    return output.number


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="memory_of_all_calls" loses="feeds"
# What was computed in one call is remembered in the next, where the feeds are others.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


memory = {}


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = memory
    for node in topological_order(output):
        if node in values:
            continue
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="known_by_what_they_say" loses="evaluate"
# You tell symbols apart by what they print. Two sums are two symbols.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[repr(node)] = feeds[node.name]
        elif node.op == "constant":
            values[repr(node)] = node.number
        else:
            values[repr(node)] = FORWARD[node.op](
                *(values[repr(parent)] for parent in node.parents)
            )
    return values[repr(output)]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="missing_is_zero" loses="feeds"
# A placeholder without a feed counts as 0 with you. It should raise KeyError.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds.get(node.name, 0.0)
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="missing_is_none" loses="feeds"
# A placeholder without a feed should raise KeyError; yours fails later, with another error.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds.get(node.name)
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="missing_unnamed" loses="feeds"
# The message of the KeyError should name the placeholder that lacks a feed.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            if node.name not in feeds:
                raise KeyError("a feed is missing")
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="feeds_used_up" loses="feeds"
# You take the values out of `feeds`. It belongs to the caller, who may use it again.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds.pop(node.name)
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="all_feeds_needed" loses="feeds"
# A feed that `output` does not need is ignored. You refuse it.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    names = {node.name for node in topological_order(output)}
    if not set(feeds) <= names:
        raise KeyError(f"unknown feeds, wanted {sorted(names)}")
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="feeds_by_order" loses="feeds"
# Feeds go by name. You hand them out in the order in which placeholders are met.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    left = list(feeds.values())
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = left.pop(0)
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="constants_are_one" loses="evaluate gradient again builds_only"
# A constant has its `number`. You take 1 for all of them.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = 1.0
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="first_parent_only" loses="evaluate"
# A node is computed from all its parents. You use the first one.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*([values[node.parents[0]]] * len(node.parents)))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="every_node_twice" loses="evaluate"
# Each node is computed once in a call. You compute it more often.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            for _ in range(2):
                values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="own_operations" loses="evaluate"
# Nodes are computed by the functions in FORWARD. You use your own.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


OWN = {"add": np.add, "multiply": np.multiply, "tanh": np.tanh}


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = OWN[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="starts_at_output" loses="gradient again"
# The way back starts at a constant 1. You start at `output` itself.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, output)
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="starts_at_zero" loses="gradient again builds_only"
# The way back starts at a constant 1. From 0, all gradients are 0.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(0.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="not_reached_is_missing" loses="gradient again"
# For a symbol that `output` does not depend on, the derivative is a constant 0. You leave it out.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] for symbol in wrt if symbol in found]


# %% answer="neuron" name="not_reached_fails" loses="gradient again"
# For a symbol that `output` does not depend on, the derivative is a constant 0. Your code stops
# there.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] for symbol in wrt]


# %% answer="neuron" name="not_reached_is_one" loses="gradient again"
# For a symbol that `output` does not depend on, the derivative is 0. Yours is 1.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(1.0) for symbol in wrt]


# %% answer="neuron" name="zero_is_a_number" loses="gradient again"
# What comes back is a symbol in any case, a constant where the derivative is 0. You return a plain
# number.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else 0.0 for symbol in wrt]


# %% answer="neuron" name="all_gradients" loses="gradient again builds_only"
# A list in the order of `wrt` is asked for. You return the whole dictionary.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return found


# %% answer="neuron" name="order_of_the_graph" loses="gradient"
# The list follows `wrt`, its order and its repetitions. Yours follows the graph.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[s] for s in found if s in wrt] + [constant(0.0)] * sum(
        s not in found for s in wrt
    )


# %% answer="neuron" name="placeholders_only" loses="gradient"
# A derivative may be asked for any symbol of the graph. You answer for placeholders.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [
        found[symbol] if symbol in found and symbol.op == "placeholder" else constant(0.0)
        for symbol in wrt
    ]


# %% answer="neuron" name="product_of_derivatives" loses="gradient again builds_only"
# The derivative of a product is not the product of the derivatives.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    rules = {
        "add": EDGE_RULES["add"],
        "multiply": (lambda g, out, a, b: g, lambda g, out, a, b: g),
        "tanh": (tanh_back,),
    }
    found = backprop(output, rules, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="by_forward_recursion" loses="builds_only"
# You walk from `output` to the symbol, once for every way, and what is shared is built again each
# time. 60 diamonds in a row have 2⁶⁰ ways.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    def slope(node, symbol):
        if node is symbol:
            return constant(1.0)
        if not node.parents:
            return constant(0.0)
        if node.op == "tanh":
            return tanh_back(slope(node.parents[0], symbol), node, None)
        a, b = node.parents
        if node.op == "add":
            return slope(a, symbol) + slope(b, symbol)
        return slope(a, symbol) * b + a * slope(b, symbol)

    return [slope(output, symbol) for symbol in wrt]


# %% answer="neuron" name="one_edge_for_squares" loses="gradient again"
# In a · a the symbol is used twice, and both edges count. You visit one.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    found = {output: constant(1.0)}
    for node in reversed(topological_order(output)):
        rules = {**EDGE_RULES, "tanh": (tanh_back,)}
        for parent in dict.fromkeys(node.parents):
            k = node.parents.index(parent)
            sent = rules[node.op][k](found[node], node, *node.parents)
            found[parent] = found[parent] + sent if parent in found else sent
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="overwritten" loses="gradient again"
# What arrives at a symbol on several edges is added. You keep the last.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    found = {output: constant(1.0)}
    for node in reversed(topological_order(output)):
        rules = {**EDGE_RULES, "tanh": (tanh_back,)}
        for k, parent in enumerate(node.parents):
            found[parent] = rules[node.op][k](found[node], node, *node.parents)
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="numbers_at_once" loses="gradient again builds_only"
# `gradient` gets no feeds, so it has no numbers: it builds a graph.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    feeds = {n.name: 1.0 for n in topological_order(output) if n.op == "placeholder"}
    result = []
    for symbol in wrt:
        if symbol.name not in feeds:
            result.append(constant(0.0))
            continue
        high = evaluate(output, {**feeds, symbol.name: 1 + 1e-6})
        low = evaluate(output, {**feeds, symbol.name: 1 - 1e-6})
        result.append(constant((high - low) / 2e-6))
    return result


# %% answer="neuron" name="writes_on_symbols" loses="builds_only"
# You write the gradients on the symbols of the old graph. They are to stay as they are.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    for symbol, slope in found.items():
        symbol.slope = slope
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="first_only" loses="gradient"
# `wrt` is a list of symbols. You answer for the first one.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[wrt[0]] if wrt[0] in found else constant(0.0)]


# %% answer="neuron" name="no_tanh_rule" loses="gradient again builds_only"
# The table lacks a rule for tanh.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    found = backprop(output, EDGE_RULES, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="checks_by_evaluating" loses="builds_only"
# `gradient` computes with functions of FORWARD. It is to build only.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(output):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    names = {n.name: 0.5 for n in topological_order(output) if n.op == "placeholder"}
    evaluate(output, names)
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="memory_of_equal_feeds" loses="evaluate"
# Values are kept for the next call with equal feeds. Nothing should be remembered: each call of
# `evaluate` calls the functions in FORWARD once for each node.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


by_feeds = {}


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = by_feeds.setdefault(str(sorted(feeds.items())), {})
    for node in topological_order(output):
        if node in values:
            continue
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[output]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)}, constant(1.0))
    return [found[symbol] if symbol in found else constant(0.0) for symbol in wrt]


# %% answer="neuron" name="numbers_among_symbols" loses="gradient"
# Where the derivative is 0 or 1, a number comes back, and your `evaluate` lets it pass. The list
# should hold symbols alone: a number cannot be differentiated again.
def tanh_back(g, out, a):
    """Return the gradient for a of tanh(a), for numbers, arrays and symbols."""
    return g * (1 - out * out)


def evaluate(output, feeds):
    """Return the value of a symbol, each node computed once."""
    values = {}
    for node in topological_order(as_symbol(output)):
        if node.op == "placeholder":
            values[node] = feeds[node.name]
        elif node.op == "constant":
            values[node] = node.number
        else:
            values[node] = FORWARD[node.op](*(values[parent] for parent in node.parents))
    return values[node]


def gradient(output, wrt):
    """Return symbols for the derivatives of output with respect to each symbol of wrt."""
    found = backprop(output, {**EDGE_RULES, "tanh": (tanh_back,)})
    return [found[symbol] if symbol in found else 0.0 for symbol in wrt]
