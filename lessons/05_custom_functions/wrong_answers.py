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

# %% [markdown]
# ## linear


# %% answer="linear" name="scale_forgotten" loses="gradients only_needed own_numbers"
# Your gradients are those of `x @ w`. The output is `scale` times that, so both gradients are too.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        return upstream @ w.T if need_x else None, x.T @ upstream if need_w else None, None


# %% answer="linear" name="scale_on_one" loses="gradients only_needed own_numbers"
# One of the two gradients lacks the factor `scale`. It multiplies the whole product, so it is a
# factor of both.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return (scale * x) @ w

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        return grad_x, x.T @ upstream if need_w else None, None


# %% answer="linear" name="upstream_of_ones" loses="gradients only_needed own_numbers"
# Your gradients are those of the sum of the output. `backward` is told how much the loss cares for
# each entry; multiply by what arrives.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        ones = cr.ones_like(upstream)
        grad_x = ctx.scale * (ones @ w.T) if need_x else None
        return grad_x, ctx.scale * (x.T @ ones) if need_w else None, None


# %% answer="linear" name="two_instead_of_three" loses="gradients only_needed in_place own_numbers"
# `backward` returns one gradient for each argument of `apply`, and there are three arguments. The
# number's is None.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        return grad_x, ctx.scale * (x.T @ upstream) if need_w else None


# %% answer="linear" name="computes_both_always" loses="only_needed"
# Both gradients are right, and both are always computed. Where `ctx.needs_input_grad` says False,
# return None and leave the matrix product out.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        return ctx.scale * (upstream @ w.T), ctx.scale * (x.T @ upstream), None


# %% answer="linear" name="computes_then_drops" loses="only_needed"
# What is not asked for is not returned, but its matrix product is made all the same, and that is
# the work that was to be saved.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        grads = ctx.scale * (upstream @ w.T), ctx.scale * (x.T @ upstream)
        needs = ctx.needs_input_grad
        return grads[0] if needs[0] else None, grads[1] if needs[1] else None, None


# %% answer="linear" name="both_products_in_numpy" loses="only_needed"
# What is not asked for is not returned, but NumPy multiplies both matrices all the same, and that
# is the work that was to be saved.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        grad_x = cr.Tensor(ctx.scale * (upstream.data @ w.data.T))
        grad_w = cr.Tensor(np.einsum("nd,nh->dh", x.data, ctx.scale * upstream.data))
        need_x, need_w, _ = ctx.needs_input_grad
        return grad_x if need_x else None, grad_w if need_w else None, None


# %% answer="linear" name="needs_swapped" loses="only_needed"
# You ask for the wrong argument: `needs_input_grad` has the order of the arguments of `apply`, `x`
# first.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_w, need_x, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        return grad_x, ctx.scale * (x.T @ upstream) if need_w else None, None


# %% answer="linear" name="gradient_for_the_number" loses="only_needed"
# `backward` returns a gradient for `scale`. It is a number, nobody asked for its gradient, and None
# says so.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        grad_w = ctx.scale * (x.T @ upstream) if need_w else None
        return grad_x, grad_w, cr.zeros(1)


# %% answer="linear" name="kept_as_attributes" loses="in_place"
# The tensors are kept as attributes of `ctx`, where nobody watches them: after a change in place
# the gradient is computed from the new numbers, without a word. `ctx.save_for_backward` is for
# them.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.x, ctx.w, ctx.scale = x, w, scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ ctx.w.T) if need_x else None
        return grad_x, ctx.scale * (ctx.x.T @ upstream) if need_w else None, None


# %% answer="linear" name="saves_copies" loses="in_place"
# You save copies. Their gradient stays right after a change in place, but nobody is told that the
# graph and the tensors no longer belong together, and each call doubles the memory.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(cr.tensor(x), cr.tensor(w))
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = ctx.scale * (upstream @ w.T) if need_x else None
        return grad_x, ctx.scale * (x.T @ upstream) if need_w else None, None


# %% answer="linear" name="kept_on_the_class" loses="in_place own_numbers"
# What `forward` keeps lies on the class, and the next call overwrites it. Each call has a `ctx` of
# its own; keep it there.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        Linear.kept = x, w, scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w, scale = Linear.kept
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = scale * (upstream @ w.T) if need_x else None
        return grad_x, scale * (x.T @ upstream) if need_w else None, None


# %% answer="linear" name="number_on_the_class" loses="own_numbers"
# The tensors are kept by their call, but the number lies on the class, where the next call
# overwrites it. `ctx.scale = scale` keeps it with the call.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        Linear.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        need_x, need_w, _ = ctx.needs_input_grad
        grad_x = Linear.scale * (upstream @ w.T) if need_x else None
        return grad_x, Linear.scale * (x.T @ upstream) if need_w else None, None


# %% answer="linear" name="no_node" loses="value only_needed"
# The values and gradients are right, but the library's own operations made them: there is no node
# of yours. Leave `apply` as it is, and write `forward` and `backward`.
class Linear(cr.Function):
    @classmethod
    def apply(cls, x, w, scale):
        return scale * (x @ w)


# %% answer="linear" name="extra_products" loses="only_needed"
# More matrix products are made than gradients are asked for. Some are made and thrown away, and
# they are the work that was to be saved.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        g = ctx.scale * upstream
        np.dot(g.data, w.data.T), np.einsum("nd,nh->dh", x.data, g.data)
        gx = g @ w.T if ctx.needs_input_grad[0] else None
        gw = x.T @ g if ctx.needs_input_grad[1] else None
        return gx, gw, None


# %% answer="linear" name="upstream_scaled_in_place" loses="gradients"
# `scale` is multiplied into the upstream gradient itself. That array may belong to another branch
# of the graph too; the product needs a new one.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        g = upstream
        g.data[...] *= ctx.scale
        gx = g @ w.T if ctx.needs_input_grad[0] else None
        gw = x.T @ g if ctx.needs_input_grad[1] else None
        return gx, gw, None


# %% answer="linear" name="first_rows_only" loses="gradients"
# With few rows the gradients are right, with many that of `w` is not: it is a sum over all rows.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        g = ctx.scale * upstream
        gx = g @ w.T if ctx.needs_input_grad[0] else None
        gw = x[:64].T @ g[:64] if ctx.needs_input_grad[1] else None
        return gx, gw, None


# %% answer="linear" name="no_empty_matrices" loses="value"
# A matrix without rows or columns stops your code. It is a matrix like any other: its product with
# the next one is empty, or all zeros.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        if 0 in x.shape:
            raise ValueError("empty")
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        g = ctx.scale * upstream
        gx = g @ w.T if ctx.needs_input_grad[0] else None
        gw = x.T @ g if ctx.needs_input_grad[1] else None
        return gx, gw, None


# %% answer="linear" name="memory_order" loses="value"
# A view is not read as what it is: the output for a slice or a transpose is that of other numbers.
# Its entries need not lie in memory in the order of its rows.
class Linear(cr.Function):
    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (cr.tensor(x.data.ravel(order="K").reshape(x.shape)) @ w)

    @staticmethod
    def backward(ctx, upstream):
        x, w = ctx.saved_tensors
        g = ctx.scale * upstream
        gx = g @ w.T if ctx.needs_input_grad[0] else None
        gw = x.T @ g if ctx.needs_input_grad[1] else None
        return gx, gw, None


# %% [markdown]
# ## relu


# %% answer="relu" name="upstream_ignored" loses="gradient upstream_kept"
# The mask alone is the slope. The gradient is the slope times what arrives from behind.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return (x > 0) * cr.ones_like(upstream)


# %% answer="relu" name="upstream_overwritten" loses="upstream_kept"
# Your zeros are written into the upstream gradient itself. Another branch of the graph holds the
# same array, and gets zeros that are not its own. Make a new one.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        upstream.data[x.data < 0] = 0
        return upstream


# %% answer="relu" name="mask_of_upstream" loses="gradient upstream_kept"
# You look at the sign of the upstream gradient. It is the sign of `x` that says whether the gate
# was open.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        return cr.maximum(upstream, 0.0)


# %% answer="relu" name="passes_everything" loses="gradient upstream_kept"
# The whole upstream gradient passes, as if every entry had been positive.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        return upstream


# %% answer="relu" name="times_x" loses="gradient upstream_kept"
# You multiply by the output. The slope of a ReLU is 1 where it is on, whatever passes through.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.maximum(x, 0.0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        (out,) = ctx.saved_tensors
        return upstream * out


# %% answer="relu" name="input_overwritten" loses="value"
# The zeros are written into the caller's `x`. Return a new tensor.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x.data > 0
        x.data[...] = np.maximum(x.data, 0)
        return x

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.mask


# %% answer="relu" name="leaky" loses="value gradient"
# A little of the negative values leaks through. That is another activation, the leaky ReLU.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x > 0, x, 0.01 * x)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return cr.where(x > 0, upstream, 0.01 * upstream)


# %% answer="relu" name="always_double" loses="value"
# The output is float64 whatever comes in. float32 in should give float32 out; in a net it doubles
# the memory of everything behind.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.tensor(np.where(x.data > 0, x.data, 0.0).astype(np.float64))

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)


# %% answer="relu" name="mask_on_the_class" loses="gradient"
# The mask lies on the class, and the next call overwrites it. Keep it with `ctx`.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        MyReLU.mask = x > 0
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        return upstream * MyReLU.mask


# %% answer="relu" name="threshold" loses="gradient"
# Small positive numbers are treated as if they were off. The gate opens at 0 and not above.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (x > 1e-6)


# %% answer="relu" name="the_librarys" loses="value"
# This is the library's ReLU under another name; no node called MyReLU is recorded.
class MyReLU(cr.Function):
    @classmethod
    def apply(cls, x):
        return cr.relu(x)


# %% answer="relu" name="the_librarys_inside" loses="value"
# `cr.relu` does the work. The exercise is to write it.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.relu(x)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)


# %% answer="relu" name="the_librarys_in_backward" loses="value"
# Forward is yours, and `backward` calls `cr.relu`. The exercise does without it in both.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.relu(x) > 0)


# %% answer="relu" name="memory_order" loses="gradient"
# The gradient of a view lands on other entries: a slice or a transpose does not lie in memory in
# the order of its rows.
class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.maximum(x, 0.0)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        mask = (x.data.ravel(order="K") > 0).reshape(x.shape)
        return upstream * cr.tensor(mask)


# %% answer="relu" name="one_buffer" loses="gradient"
# The output of your first call has changed after the second: both were written into one array. Each
# call needs a new one.
OUT = {}


class MyReLU(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        out = OUT.setdefault((x.shape, str(x.dtype)), np.zeros_like(x.data))
        np.maximum(x.data, 0, out=out)
        return cr.as_tensor(out)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (x > 0)


# %% [markdown]
# ## sigmoid


# %% answer="sigmoid" name="lectures_forward" loses="stable"
# This is the lecture's own class. exp(−x) overflows on the left; it gets away with it, because
# 1/inf is 0, but NumPy warns. Take exp(−|x|), which cannot overflow, and treat the two sides apart.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = 1 / (1 + cr.exp(-x))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="other_end_overflows" loses="stable"
# exp(x) / (1 + exp(x)) is right on the left. On the right it is inf / inf, which is nan.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = cr.exp(x) / (1 + cr.exp(x))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="where_computes_both" loses="stable"
# `where` chooses between two results that have both been computed, for all x. Each of your formulas
# overflows on the side where it is not wanted. Give both the same exp(−|x|).
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = cr.where(x >= 0, 1 / (1 + cr.exp(-x)), cr.exp(x) / (1 + cr.exp(x)))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="by_tanh" loses="value"
# tanh is a sigmoid, stretched and shifted, and it does not overflow. But to shift it back 0.5 is
# added to nearly −0.5, and what is left of a small result is 0.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = 0.5 * cr.tanh(0.5 * x) + 0.5
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="one_minus" loses="value"
# On the left you take 1 minus a number that is nearly 1. The small result is lost in the rounding.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        large = 1 / (1 + cr.exp(-cr.absolute(x)))
        output = cr.where(x >= 0, large, 1 - large)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="clipped_input" loses="value"
# x is clipped first. Nothing overflows any more, and everything further left gets the value of the
# edge instead of its own.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = 1 / (1 + cr.exp(-x.clip(-30.0, 30.0)))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="upstream_ignored" loses="gradient stable saves_output inputs_kept"
# y · (1 − y) is the slope. The gradient is the slope times what arrives from behind.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return output * (1 - output)


# %% answer="sigmoid" name="saves_the_input" loses="saves_output"
# You save `x` and compute the sigmoid once more in `backward`. The output was there already: save
# it, and two multiplications are all that is left to do.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, e) / (1 + e)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        e = cr.exp(-cr.absolute(x))
        return upstream * e / (1 + e) ** 2


# %% answer="sigmoid" name="saves_both" loses="saves_output"
# The input is saved beside the output. Whatever is saved stays in memory until the backward pass,
# and the output is enough.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(x, output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        output = ctx.saved_tensors[-1]
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="saves_a_copy" loses="saves_output"
# You save a copy of the output. That is twice the memory, and the copy no longer knows that it came
# from x, which second derivatives need.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(cr.tensor(output))
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="keeps_the_exponential" loses="saves_output"
# The exponential is kept beside the output. Whatever hangs on `ctx` stays in memory until the
# backward pass, and the output is enough.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, ctx.e) / (1 + ctx.e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="saves_the_input_naive" loses="gradient stable saves_output"
# The slope is computed from the saved input as exp(−x) / (1 + exp(−x))². Far on the left that is
# inf / inf.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, e) / (1 + e)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        e = cr.exp(-x)
        return upstream * e / (1 + e) ** 2


# %% answer="sigmoid" name="sigmoid_of_output" loses="gradient stable saves_output inputs_kept"
# What you saved is the output already, and `backward` applies the sigmoid to it once more.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        again = 1 / (1 + cr.exp(-output))
        return upstream * again * (1 - again)


# %% answer="sigmoid" name="slope_of_tanh" loses="gradient stable saves_output inputs_kept"
# 1 − y² is the slope of tanh. That of the sigmoid is y · (1 − y).
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * (1 - output**2)


# %% answer="sigmoid" name="kept_on_ctx" loses="saves_output"
# The output is kept as an attribute of `ctx`, where the library does not watch it. Tensors go
# through `ctx.save_for_backward`.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        ctx.output = cr.where(x >= 0, 1.0, e) / (1 + e)
        return ctx.output

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.output * (1 - ctx.output)


# %% answer="sigmoid" name="kept_on_the_class" loses="saves_output inputs_kept"
# The output lies on the class, and the next call overwrites it. Each call has a `ctx` of its own.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        Sigmoid.output = cr.where(x >= 0, 1.0, e) / (1 + e)
        return Sigmoid.output

    @staticmethod
    def backward(ctx, upstream):
        return upstream * Sigmoid.output * (1 - Sigmoid.output)


# %% answer="sigmoid" name="composite" loses="stable saves_output one_node"
# This is the composite under another name: four nodes in the graph, and nan in its gradient.
class Sigmoid(cr.Function):
    @classmethod
    def apply(cls, x):
        return 1 / (1 + cr.exp(-x))


# %% answer="sigmoid" name="the_librarys_rule" loses="one_node"
# The library's sigmoid does the work in your `forward`. The task is to write it from exponentials.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        output = cr.sigmoid(x)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="always_double" loses="value stable"
# The output is float64 whatever comes in. float32 in should give float32 out.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = np.exp(-np.abs(x.data.astype(np.float64)))
        output = cr.tensor(np.where(x.data >= 0, 1.0, e) / (1 + e))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="always_single" loses="value gradient"
# The numbers pass through float32 and keep about seven digits. float64 in should give float64 out,
# with all of its digits.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        small = x.astype(np.float32)
        e = cr.exp(-cr.absolute(small))
        output = (cr.where(small >= 0, 1.0, e) / (1 + e)).astype(x.dtype)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="upstream_overwritten" loses="inputs_kept"
# The gradient is written into the upstream array, which another branch may hold too. Make a new
# one.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        upstream.data[...] = upstream.data * output.data * (1 - output.data)
        return upstream


# %% answer="sigmoid" name="one_buffer" loses="inputs_kept"
# The output is written into one buffer per shape, so the next call overwrites what the last one
# returned.
class Sigmoid(cr.Function):
    buffers = {}

    @staticmethod
    def forward(ctx, x):
        e = np.exp(-np.abs(x.data))
        key = x.data.shape, x.data.dtype.str
        buffer = Sigmoid.buffers.setdefault(key, np.empty(x.data.shape, x.data.dtype))
        buffer[...] = np.where(x.data >= 0, 1, e) / (1 + e)
        output = cr.Tensor(buffer)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="nearly_zero" loses="stable"
# σ(−1000) is a tiny number and not 0. Let the exponential underflow; it needs no bound, because
# exp(−|x|) never overflows.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x).clip(0.0, 700.0))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="nearly_zero_in_float32" loses="stable"
# In float32, σ(−1000) is a tiny number and not 0. The exponential needs no bound on this side:
# underflow is the right answer.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x).clip(0.0, 88.0 if x.dtype == np.float32 else 1e9))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="input_kept_in_a_list" loses="saves_output"
# `ctx` is clean, but `x` is still held somewhere else after the call. Memory that somebody holds is
# not free, and to save it was the point.
KEPT = []


class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        KEPT.append(x)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="sigmoid" name="memory_order" loses="gradient"
# With an upstream gradient that is a view, its entries end up in other places: a transpose does not
# lie in memory in the order of its rows.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return (
            cr.tensor(upstream.data.ravel(order="K").reshape(upstream.shape))
            * output
            * (1 - output)
        )


# %% answer="sigmoid" name="small_slopes_cut" loses="gradient"
# In float32 the tiny slopes on the left come out as 0 or lose digits. y · (1 − y) gives them
# without any help.
class Sigmoid(cr.Function):
    @staticmethod
    def forward(ctx, x):
        e = cr.exp(-cr.absolute(x))
        output = cr.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        slope = output * (1 - output)
        keep = slope.data > (1e-12 if slope.dtype == np.float32 else 0)
        return upstream * slope * cr.tensor(keep)


# %% [markdown]
# ## one_node


# %% answer="one_node" name="counts_paths" loses="count large_graphs"
# A node that is reached along several paths is counted once for each. Remember which ones you have
# seen.
def count_nodes(out):
    waiting, count = [out.grad_fn], 0
    while waiting and count < 100_000:
        node = waiting.pop()
        if node is None or isinstance(node, cr.Tensor):
            continue
        count += 1
        waiting.extend(node.parents)
    return count


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isfinite(out.data), np.isfinite(x.grad.data)
    bad_values = [v for v, ok in zip(xs, values, strict=True) if not ok]
    return bad_values, [v for v, ok in zip(xs, gradients, strict=True) if not ok]


# %% answer="one_node" name="counts_leaves" loses="count large_graphs"
# Leaves are counted too. A leaf is a tensor that somebody made; no operation did.
def count_nodes(out):
    waiting, seen = [out.grad_fn or out], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if not isinstance(node, cr.Tensor):
            waiting.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isfinite(out.data), np.isfinite(x.grad.data)
    bad_values = [v for v, ok in zip(xs, values, strict=True) if not ok]
    return bad_values, [v for v, ok in zip(xs, gradients, strict=True) if not ok]


# %% answer="one_node" name="recursion" loses="large_graphs"
# The count calls itself for each parent. That is right for small graphs; Python stops it about a
# thousand nodes deep.
def count_nodes(out):
    seen = set()

    def visit(node):
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            return
        seen.add(node)
        for parent in node.parents:
            visit(parent)

    visit(out.grad_fn)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isfinite(out.data), np.isfinite(x.grad.data)
    bad_values = [v for v, ok in zip(xs, values, strict=True) if not ok]
    return bad_values, [v for v, ok in zip(xs, gradients, strict=True) if not ok]


# %% answer="one_node" name="first_parent_only" loses="count"
# Only the first parent of each node is followed. A sum has two.
def count_nodes(out):
    node, count = out.grad_fn, 0
    while node is not None and not isinstance(node, cr.Tensor):
        count += 1
        node = node.parents[0]
    return count


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isfinite(out.data), np.isfinite(x.grad.data)
    bad_values = [v for v, ok in zip(xs, values, strict=True) if not ok]
    return bad_values, [v for v, ok in zip(xs, gradients, strict=True) if not ok]


# %% answer="one_node" name="only_nan" loses="failing_values failing_gradients"
# You look for nan only. An infinity is no number to go on with either.
def count_nodes(out):
    waiting, seen = [out.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and not isinstance(node, cr.Tensor) and node not in seen:
            seen.add(node)
            waiting.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isnan(out.data), np.isnan(x.grad.data)
    bad_values = [v for v, bad in zip(xs, values, strict=True) if bad]
    return bad_values, [v for v, bad in zip(xs, gradients, strict=True) if bad]


# %% answer="one_node" name="always_float64" loses="dtype"
# `dtype` is not used: the probe always runs in the same dtype.
def count_nodes(out):
    waiting, seen = [out.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and not isinstance(node, cr.Tensor) and node not in seen:
            seen.add(node)
            waiting.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(np.array(xs), requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    values, gradients = np.isfinite(out.data), np.isfinite(x.grad.data)
    bad_values = [v for v, ok in zip(xs, values, strict=True) if not ok]
    return bad_values, [v for v, ok in zip(xs, gradients, strict=True) if not ok]


# %% answer="one_node" name="gradient_only_where_value_is_good" loses="failing_gradients"
# You leave out of the second list what is in the first. A number at which both fail belongs to
# both.
def count_nodes(out):
    waiting, seen = [out.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and not isinstance(node, cr.Tensor) and node not in seen:
            seen.add(node)
            waiting.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    bad_values = [v for v, ok in zip(xs, np.isfinite(out.data), strict=True) if not ok]
    gradients = zip(xs, np.isfinite(x.grad.data), strict=True)
    return bad_values, [v for v, ok in gradients if not ok and v not in bad_values]


# %% answer="one_node" name="values_twice" loses="failing_gradients dtype"
# Both lists speak of the value. The second is about the gradient, which can fail where the value is
# fine; that is the point of this lesson.
def count_nodes(out):
    waiting, seen = [out.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and not isinstance(node, cr.Tensor) and node not in seen:
            seen.add(node)
            waiting.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    out = f(cr.tensor(xs, dtype=dtype, requires_grad=True))
    bad = [v for v, ok in zip(xs, np.isfinite(out.data), strict=True) if not ok]
    return bad, bad


# %% answer="one_node" name="set_kept_between_calls" loses="count"
# A second count of the same graph comes out smaller: the set of seen nodes lives on between calls.
# A default value is made once, when the function is defined; make the set inside.
def count_nodes(out, seen=set()):
    todo = [out.grad_fn]
    before = len(seen)
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen) - before


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="two_parents_at_most" loses="count"
# Of a node with many parents you follow only some. `parents` may be a list of any length.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents[:2])
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="through_float32" loses="failing_values"
# The numbers pass through float32 before `f` sees them: 0.1 is then 0.100000001. Give `cr.tensor`
# the dtype at once.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(cr.tensor(xs).astype(dtype).data, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="each_number_once" loses="failing_values"
# A number that stands twice in `xs` comes once. The answer keeps to `xs`, place by place.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return list(dict.fromkeys(v)), list(dict.fromkeys(g))


# %% answer="one_node" name="large_is_not_infinite" loses="failing_values"
# Large values are taken for infinite ones. A number like 1e304 is finite: ask `np.isfinite`, not a
# bound.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.abs(b) < 1e300]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="large_slopes_are_finite" loses="failing_gradients"
# Large slopes are taken for infinite ones. A slope of 1e305 is finite: ask `np.isfinite`, not a
# bound.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.abs(b) < 1e300]
    return v, g


# %% answer="one_node" name="large_in_float32" loses="dtype"
# Numbers from 1e38 on are taken for infinite. Float32 goes on to 3.4e38, and float64 much further.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.abs(b) < 1e38]
    g = [a for a, b in zip(xs, x.grad.data) if not np.abs(b) < 1e38]
    return v, g


# %% answer="one_node" name="small_upstream" loses="failing_gradients"
# A slope that is infinite passes for finite: the upstream gradient is smaller than 1, and made it
# smaller on the way. Send ones.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out) * 1e-10)
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="large_upstream" loses="failing_gradients"
# A slope that is finite passes for infinite: the upstream gradient is larger than 1, and it
# overflowed on the way. Send ones.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out) * 1e10)
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="empties_xs" loses="failing_values"
# The answer is right, and `xs` is not what it was: the list belongs to the caller.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    xs.clear()
    return v, g


# %% answer="one_node" name="no_empty_list" loses="failing_values"
# An empty `xs` stops your code. The answer to no numbers is two empty lists.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    xs[0]
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="numpy_left_silent" loses="failing_values"
# The answer is right, but NumPy's settings are changed for good, and whoever comes later hears no
# warning. `with np.errstate(...)` puts them back.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    np.seterr(all="ignore")
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs, out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% answer="one_node" name="hundred_at_most" loses="failing_values"
# Of a long `xs` only the beginning is judged.
def count_nodes(out):
    todo, seen = [out.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or isinstance(node, cr.Tensor) or node in seen:
            continue
        seen.add(node)
        todo.extend(node.parents)
    return len(seen)


def where_it_fails(f, xs, dtype):
    x = cr.tensor(xs, dtype=dtype, requires_grad=True)
    out = f(x)
    out.backward(cr.ones_like(out))
    v = [a for a, b in zip(xs[:100], out.data) if not np.isfinite(b)]
    g = [a for a, b in zip(xs, x.grad.data) if not np.isfinite(b)]
    return v, g


# %% [markdown]
# ## log_sum_exp


# %% answer="log_sum_exp" name="no_shift" loses="stable"
# exp of a large number is inf. Take the largest entry of each row out first, and add it to the
# result.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.log(cr.exp(x).sum(axis=-1))
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="one_shift_for_all" loses="stable"
# One number is taken out of the whole array. A row far below another then has nothing but zeros
# left, and the logarithm of 0 is -inf. Each row needs its own maximum.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max()
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="shift_not_added" loses="value gradient stable second by_hand"
# The largest entry is taken out and never put back: the result is that of the shifted row.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.log(cr.exp(x - x.max(axis=-1, keepdims=True)).sum(axis=-1))
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="saves_the_softmax" loses="second"
# The softmax is computed in `forward` and saved. Value and gradient are right. But nobody knows how
# it depends on `x`, so in the second derivative it is a constant. Save the input and the output,
# and form it from them in `backward`.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        exps = cr.exp(x - top)
        total = exps.sum(axis=-1, keepdims=True)
        ctx.save_for_backward(exps / total)
        return (cr.log(total) + top).squeeze(-1)

    @staticmethod
    def backward(ctx, upstream):
        (p,) = ctx.saved_tensors
        return upstream.unsqueeze(-1) * p


# %% answer="log_sum_exp" name="backward_in_numpy" loses="second"
# `backward` works on the arrays inside the tensors. The library cannot follow it there, so the
# gradient is a constant to the second derivative.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        p = np.exp(x.data - out.data[..., None])
        return cr.tensor(upstream.data[..., None] * p)


# %% answer="log_sum_exp" name="output_detached" loses="second"
# The output is used in `backward` as if it were a constant: it was kept as an attribute, without
# its history. Through `ctx.saved_tensors` it comes back as what this node made from x.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x)
        ctx.out = out.detach()
        return out

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - ctx.out.unsqueeze(-1))


# %% answer="log_sum_exp" name="upstream_ignored" loses="gradient stable second"
# Your gradient is the softmax. Multiply it by what arrives, row by row.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="upstream_on_the_wrong_axis" loses="gradient stable second"
# Upstream has one number for each row. Without a last axis of length 1 it is broadcast along the
# columns, which fits by accident where there are as many.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="over_everything" loses="value gradient stable second"
# You sum over all entries. The task sums over the last axis, each row for itself.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max()
        out = cr.log(cr.exp(x - top).sum()) + top
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream * cr.exp(x - out)


# %% answer="log_sum_exp" name="matrices_only" loses="value gradient stable second by_hand"
# Axis 1 is the last axis of a matrix only. Count from the end: -1.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=1)) + top.squeeze(1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(1) * cr.exp(x - out.unsqueeze(1))


# %% answer="log_sum_exp" name="the_librarys" loses="by_hand"
# The library's own operation does the work. The task is to write it.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        out = cr.logsumexp(x, axis=-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="float32_output_detached" loses="second"
# In float32 the second derivative is wrong: there the output is used as a constant. Its dtype does
# not change what depends on what.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        if x.dtype == np.float32:
            out = out.detach()
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="upstream_nudged" loses="gradient"
# The upstream gradient is not quite what it was, after the backward pass. Make a new array for what
# you compute with it.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        upstream.data[...] *= 1 + 1e-9
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% answer="log_sum_exp" name="memory_order" loses="value"
# A view is not read as what it is: the output for a slice or a transpose is that of other numbers.
# Its entries need not lie in memory in the order of its rows.
class LogSumExp(cr.Function):
    @staticmethod
    def forward(ctx, x):
        y = x
        x = cr.tensor(x.data.ravel(order="K").reshape(x.shape))
        top = x.max(axis=-1, keepdims=True)
        out = cr.log(cr.exp(x - top).sum(axis=-1)) + top.squeeze(-1)
        ctx.save_for_backward(y, out)
        return out

    @staticmethod
    def backward(ctx, upstream):
        x, out = ctx.saved_tensors
        return upstream.unsqueeze(-1) * cr.exp(x - out.unsqueeze(-1))


# %% [markdown]
# ## cross_entropy


# %% answer="cross_entropy" name="upstream_forgotten" loses="gradient labels_none stable"
# Your gradient is that of the loss itself. What is done with the loss afterwards arrives as
# upstream; multiply by it.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, rows = logits.data, np.arange(len(labels))
        shifted = z - z.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)
        ctx.kept = shifted, total, rows, labels.data
        return cr.tensor((np.log(total) - shifted[rows, labels.data]).mean())

    @staticmethod
    def backward(ctx, upstream):
        shifted, total, rows, labels = ctx.kept
        grad = np.exp(shifted) / total[:, None]
        grad[rows, labels] -= 1
        return cr.tensor(grad / len(rows)), None


# %% answer="cross_entropy" name="mean_in_value_only" loses="gradient labels_none stable"
# The value is a mean over the rows and the gradient is not divided by their number. Both must
# belong to the same loss.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, rows = logits.data, np.arange(len(labels))
        shifted = z - z.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)
        ctx.kept = shifted, total, rows, labels.data
        return cr.tensor((np.log(total) - shifted[rows, labels.data]).mean())

    @staticmethod
    def backward(ctx, upstream):
        shifted, total, rows, labels = ctx.kept
        grad = np.exp(shifted) / total[:, None]
        grad[rows, labels] -= 1
        return upstream * grad, None


# %% answer="cross_entropy" name="sum_of_rows" loses="value gradient labels_none stable inputs_kept"
# Value and gradient are those of the sum over the rows. The task asks for the mean.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, rows = logits.data, np.arange(len(labels))
        shifted = z - z.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1)
        ctx.kept = shifted, total, rows, labels.data
        return cr.tensor((np.log(total) - shifted[rows, labels.data]).sum())

    @staticmethod
    def backward(ctx, upstream):
        shifted, total, rows, labels = ctx.kept
        grad = np.exp(shifted) / total[:, None]
        grad[rows, labels] -= 1
        return upstream * grad, None


# %% answer="cross_entropy" name="no_shift" loses="stable"
# exp of a large logit is inf, and inf / inf is nan. Take each row's largest logit out first.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, rows = logits.data, np.arange(len(labels))
        ctx.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        ctx.rows = rows, labels.data
        return cr.tensor((np.log(np.exp(z).sum(axis=1)) - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="log_of_the_softmax" loses="stable"
# You take the logarithm of p. Where p is too small for the dtype it is 0, and its logarithm is -inf
# although the loss is finite. Take the logarithm on paper.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        ctx.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        ctx.rows = np.arange(len(labels)), labels.data
        return cr.tensor(-np.log(ctx.p[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="one_shift_for_all" loses="stable"
# One number is taken out of all rows. A row far below another has nothing but zeros left.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max()
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p = np.exp(z) / total
        ctx.rows = np.arange(len(labels)), labels.data
        return cr.tensor((np.log(total[:, 0]) - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="difference_of_large_numbers" loses="stable"
# The logarithm and the logit are each computed in full and then subtracted. Near 10,000 a float32
# has three digits after the point, and the difference has no more. Subtract the row's maximum
# first.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z, top = logits.data, logits.data.max(axis=1, keepdims=True)
        total = np.exp(z - top).sum(axis=1, keepdims=True)
        ctx.p, ctx.rows = np.exp(z - top) / total, (np.arange(len(z)), labels.data)
        return cr.tensor(((np.log(total) + top)[:, 0] - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="label_not_subtracted" loses="gradient labels_none stable"
# Your gradient is the softmax over N. The 1 at the label is missing, so no step would ever raise
# the right class.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p = np.exp(z) / total
        return cr.tensor((np.log(total[:, 0]) - z[np.arange(len(z)), labels.data]).mean())

    @staticmethod
    def backward(ctx, upstream):
        return upstream * ctx.p / len(ctx.p), None


# %% answer="cross_entropy" name="all_columns_of_labels" loses="gradient labels_none stable"
# `grad[:, labels] -= 1` takes 1 off whole columns. Each row has a label of its own:
# `grad[rows, labels]`.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p, ctx.labels = np.exp(z) / total, labels.data
        return cr.tensor((np.log(total[:, 0]) - z[np.arange(len(z)), labels.data]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[:, ctx.labels] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="spends_what_it_saved" loses="gradient"
# The 1 is taken off in the array that was kept, so a second backward pass takes it off again. Work
# on a copy.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p, ctx.rows = np.exp(z) / total, (np.arange(len(z)), labels.data)
        return cr.tensor((np.log(total[:, 0]) - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        ctx.p[ctx.rows] -= 1
        return upstream * ctx.p / len(ctx.p), None


# %% answer="cross_entropy" name="gradient_for_labels" loses="labels_none"
# `backward` returns a gradient for the labels. They are names of classes; None says that there is
# nothing to differentiate.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p, ctx.rows = np.exp(z) / total, (np.arange(len(z)), labels.data)
        return cr.tensor((np.log(total[:, 0]) - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), cr.zeros(len(grad))


# %% answer="cross_entropy" name="logits_shifted_in_place" loses="inputs_kept"
# The maximum is taken out of the caller's logits themselves: `-=` writes into the array.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data
        z -= z.max(axis=1, keepdims=True)
        total = np.exp(z).sum(axis=1, keepdims=True)
        ctx.p, ctx.rows = np.exp(z) / total, (np.arange(len(z)), labels.data)
        return cr.tensor((np.log(total[:, 0]) - z[ctx.rows]).mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="the_librarys" loses="inputs_kept"
# The library's own softmax does the work. The task is to write it.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        logp = cr.log_softmax(logits, axis=1)
        ctx.rows = np.arange(len(labels)), labels.data
        ctx.p = np.exp(logp.data)
        return cr.tensor(-logp.data[ctx.rows].mean())

    @staticmethod
    def backward(ctx, upstream):
        grad = ctx.p.copy()
        grad[ctx.rows] -= 1
        return upstream * grad / len(grad), None


# %% answer="cross_entropy" name="composite_of_functions" loses="value"
# This is right, and it is a graph of several nodes. The task is one node, called CrossEntropy.
class CrossEntropy(cr.Function):
    @classmethod
    def apply(cls, logits, labels):
        top = logits.max(axis=1, keepdims=True).detach()
        total = cr.log(cr.exp(logits - top).sum(axis=1)) + top.squeeze(1)
        rows = np.arange(len(labels))
        return (total - logits[rows, labels.data]).mean()


# %% answer="cross_entropy" name="the_librarys_inside" loses="inputs_kept"
# The value comes from an operation of the library that was not to be used.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        return cr.cross_entropy(logits, labels)

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="labels_overflow" loses="value"
# Labels of a narrow integer dtype are computed with, and int8 ends at 127. Use them as an index,
# with `np.arange` beside them, and nothing overflows.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = (
            np.log(np.exp(z).sum(axis=1))
            - z.ravel()[
                np.arange(len(z)).astype(labels.data.dtype) * labels.data.dtype.type(z.shape[1])
                + labels.data
            ]
        )
        ctx.save_for_backward(logits, labels)
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="logits_there_and_back" loses="inputs_kept"
# The logits are changed and changed back, and rounding has not brought back the last digits.
# Compute in a new array.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        logits.data[...] = logits.data + 1.0 - 1.0
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="labels_sorted" loses="inputs_kept"
# Your code changes the labels themselves; they belong to the caller, and each stands for its row.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        labels.data.sort()
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="memory_order" loses="value"
# A view is not read as what it is: the loss of a slice or a transpose is that of other numbers. Its
# entries need not lie in memory in the order of its rows.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        flat = logits.data.ravel(order="K").reshape(logits.shape)
        zz = flat - flat.max(axis=1, keepdims=True)
        losses = np.log(np.exp(zz).sum(axis=1)) - zz[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="memory_order_in_backward" loses="gradient"
# The gradient of a view is that of other numbers: a slice or a transpose does not lie in memory in
# the order of its rows.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data.ravel(order="K").reshape(logits.shape)
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% answer="cross_entropy" name="first_rows_only" loses="gradient"
# With few rows the gradient is right, with many it is not.
class CrossEntropy(cr.Function):
    @staticmethod
    def forward(ctx, logits, labels):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        rows = np.arange(len(z))
        losses = np.log(np.exp(z).sum(axis=1)) - z[rows, labels.data]
        ctx.save_for_backward(logits, labels)
        return cr.tensor(np.asarray(losses.mean()))

    @staticmethod
    def backward(ctx, upstream):
        logits, labels = ctx.saved_tensors
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        p[64:] = 0
        p[np.arange(len(z)), labels.data] -= 1
        return cr.tensor(upstream.data * p / len(z)), None


# %% [markdown]
# ## surrogates


# %% answer="surrogates" name="the_true_slope" loses="binarize"
# `Binarize` returns the derivative of the step, which is 0. Nothing would ever learn; straight
# through means that the gradient passes.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        return 0 * upstream


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="no_window" loses="binarize"
# The gradient passes everywhere. The task lets it through only where |x| ≤ 1.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        return upstream


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="window_on_upstream" loses="binarize"
# The window looks at the upstream gradient. It is `x` that must lie between −1 and 1.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        return upstream * (cr.absolute(upstream) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="sign_of_zero" loses="binarize"
# The sign of 0 is 0. A binary unit has no third value: at 0 it is 1.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.sign(x)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="ends_excluded" loses="binarize"
# At −1 and 1 themselves the gradient should pass: the window includes its ends.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) < 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="wider_window" loses="binarize"
# A little more than the window is let through: just beyond 1 the gradient is 0 already.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) < 1.001)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="always_double" loses="binarize"
# For float32 the output of `Binarize` is float64. Cast it to the dtype of `x`.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.tensor(np.where(x.data >= 0, 1.0, -1.0))

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="reversed_forward" loses="reverse"
# `Reverse` turns the value around as well. Forward it does nothing; only the gradient is turned.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return -strength * x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="strength_without_sign" loses="reverse strength_none"
# The gradient of `Reverse` has the right size and the wrong sign: it goes on, instead of turning
# around.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return ctx.strength * upstream, None


# %% answer="surrogates" name="strength_on_the_class" loses="reverse"
# The strength lies on the class, so the gradient uses that of the last call. Keep it with `ctx`.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        Reverse.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -Reverse.strength * upstream, None


# %% answer="surrogates" name="one_gradient_for_two" loses="reverse strength_none"
# `Reverse.backward` returns one gradient, and `apply` had two arguments. The second is None.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream


# %% answer="surrogates" name="sign_bit" loses="binarize"
# −0.0 gives −1. It is equal to 0, so −0.0 ≥ 0 holds; ask the comparison and not the sign bit.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.tensor(np.where(np.signbit(x.data), -1.0, 1.0).astype(x.dtype))

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="window_a_little_wide" loses="binarize"
# Just beyond −1 and 1 the gradient still passes. The window ends exactly at its ends.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1 + 1e-6)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="window_in_float32" loses="binarize"
# Just beyond −1 and 1 the gradient still passes in float64: rounded to float32, those numbers are
# ±1. Compare `x` as it is.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x).astype("float32") <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="window_a_little_narrow" loses="binarize"
# At −1 and 1, or just inside, the gradient is 0. Something is taken off before the comparison;
# compare |x| itself with 1.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) - 1e-9 <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="strength_capped" loses="reverse"
# Large strengths are cut. `strength` is any number.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = min(strength, 10.0)
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="strength_in_float32" loses="reverse"
# In float64 the gradient has only seven right digits: `strength` went through float32. A Python
# number needs no conversion.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = float(np.float32(strength))
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="value_through_float32" loses="reverse"
# The value of `Reverse` has only seven of its digits left. It is `x`, to the last one.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.astype("float32").astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="memory_order" loses="binarize"
# For a view the gradient lands on other entries: a slice or a transpose does not lie in memory in
# the order of its rows.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * cr.tensor((abs(x.data.ravel(order="K")) <= 1).reshape(x.shape))


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * upstream, None


# %% answer="surrogates" name="upstream_in_memory_order" loses="reverse"
# With an upstream gradient that is a view, its entries end up in other places: a transpose does not
# lie in memory in the order of its rows.
class Binarize(cr.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return cr.where(x >= 0, 1.0, -1.0).astype(x.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * (cr.absolute(x) <= 1)


class Reverse(cr.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x

    @staticmethod
    def backward(ctx, upstream):
        return -ctx.strength * cr.tensor(
            upstream.data.ravel(order="K").reshape(upstream.shape)
        ), None


# %% [markdown]
# ## torch_sigmoid


# %% answer="torch_sigmoid" name="upstream_ignored" loses="values_and_gradients gradcheck stable"
# y · (1 − y) is the slope. The gradient is the slope times what arrives from behind.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return output * (1 - output)


# %% answer="torch_sigmoid" name="other_end_overflows" loses="stable"
# exp(x) / (1 + exp(x)) is inf / inf far on the right.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        output = torch.exp(x) / (1 + torch.exp(x))
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="saves_the_input" loses="one_node"
# The input is saved. The output is there already and spares `backward` the exponential.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, e) / (1 + e)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        e = torch.exp(-torch.abs(x))
        return upstream * e / (1 + e) ** 2


# %% answer="torch_sigmoid" name="detached_backward" loses="gradcheck"
# The gradient is right, and PyTorch cannot follow how it was made, because it left the tensors for
# NumPy. The second derivative is lost.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        output = ctx.saved_tensors[0].detach().numpy()
        return torch.as_tensor(upstream.detach().numpy() * output * (1 - output))


# %% answer="torch_sigmoid" name="pytorchs_own" loses="one_node"
# PyTorch's own sigmoid does the work in your `forward`.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        output = torch.sigmoid(x)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="by_tanh" loses="values_and_gradients"
# To shift tanh up, 0.5 is added to nearly −0.5, and what is left of a small result is 0.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        output = 0.5 * torch.tanh(0.5 * x) + 0.5
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="composite" loses="stable one_node"
# This is the composite under another name: several nodes, and nan in its gradient.
class TorchSigmoid(torch.autograd.Function):
    @classmethod
    def apply(cls, x):
        return 1 / (1 + torch.exp(-x))


# %% answer="torch_sigmoid" name="slope_of_tanh" loses="values_and_gradients gradcheck stable"
# 1 − y² is the slope of tanh. That of the sigmoid is y · (1 − y).
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * (1 - output**2)


# %% answer="torch_sigmoid" name="upstream_overwritten" loses="values_and_gradients"
# The gradient is written into the upstream tensor, which another branch may hold too.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream.mul_(output * (1 - output))


# %% answer="torch_sigmoid" name="by_silu" loses="one_node"
# One of PyTorch's operations that has the sigmoid inside does the work. `silu` is x times the
# sigmoid.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        output = torch.where(x == 0, 0.5, torch.nn.functional.silu(x) / x)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="by_glu" loses="one_node"
# One of PyTorch's operations that has the sigmoid inside does the work. `glu` multiplies by the
# sigmoid of one half.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        one = torch.ones_like(x)
        output = torch.nn.functional.glu(torch.stack([one, x]), dim=0)[0]
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="own_backward" loses="one_node"
# Forward is yours, and the slope comes from PyTorch's own sigmoid.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return torch.ops.aten.sigmoid_backward(upstream, output)


# %% answer="torch_sigmoid" name="view_of_a_view" loses="values_and_gradients"
# `view` cannot flatten a transposed tensor. Nothing here needs a flat one: every operation works
# entry by entry.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        flat = x.view(-1)
        e = torch.exp(-torch.abs(flat))
        output = (torch.where(flat >= 0, 1.0, e) / (1 + e)).view(x.shape)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="memory_order" loses="values_and_gradients"
# A view is not read as what it is: a slice or a transpose does not lie in memory in the order of
# its rows.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        flat = x.as_strided((x.numel(),), (1,)).reshape(x.shape)
        e = torch.exp(-torch.abs(flat))
        output = torch.where(flat >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="upstream_flattened" loses="values_and_gradients"
# Your `backward` stops where upstream is a view. After `.sum()` it is one number expanded to a
# shape, and `view` cannot flatten that.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return (upstream.view(-1) * (output * (1 - output)).reshape(-1)).view(output.shape)


# %% answer="torch_sigmoid" name="input_on_ctx" loses="one_node"
# The output is saved, and another tensor is kept on `ctx` besides, as an attribute. Its memory
# stays taken as long as the graph lives.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        ctx.x = x
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="saves_a_copy" loses="one_node"
# What is saved has the numbers of the output but is not the output: PyTorch does not know that it
# depends on `x`.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output.clone())
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="returns_a_copy" loses="gradcheck one_node"
# `forward` saves one tensor and returns another, a copy. PyTorch does not know that the saved one
# depends on `x`, so its second derivative lacks a part.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output.clone()

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="nearly_zero" loses="stable"
# σ(−1000) is a tiny number and not 0. Let the exponential underflow; exp(−|x|) never overflows.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x).clamp(max=700.0))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="nearly_zero_in_float32" loses="stable"
# In float32, σ(−1000) is a tiny number and not 0. Let the exponential underflow.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x).clamp(max=88.0 if x.dtype == torch.float32 else 1e9))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="kept_on_the_class" loses="values_and_gradients"
# The gradient of the first of two calls uses the output of the second: it was kept on the class.
# `ctx` belongs to one call.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        TorchSigmoid.output = output.detach()
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        if not torch.is_grad_enabled():
            output = TorchSigmoid.output
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="one_buffer" loses="values_and_gradients"
# Calls write their outputs into one array, and the next one overwrites it.
OUT = {}


class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        output = OUT.setdefault((x.shape, x.dtype), torch.empty_like(x)).copy_(output)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        return upstream * output * (1 - output)


# %% answer="torch_sigmoid" name="small_slopes_cut" loses="values_and_gradients"
# The tiny slopes on the left come out as 0. y · (1 − y) gives them without any help.
class TorchSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-torch.abs(x))
        output = torch.where(x >= 0, 1.0, e) / (1 + e)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, upstream):
        (output,) = ctx.saved_tensors
        slope = output * (1 - output)
        return upstream * torch.where(slope > 1e-20, slope, 0.0)


# %% [markdown]
# ## tf_sigmoid


# %% answer="tf_sigmoid" name="upstream_ignored" loses="sigmoid stable clip"
# Both gradient functions return what upstream is to be multiplied with, or nothing of it at all.
# What arrives from behind has to be in the result.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)
    return output, lambda upstream: output * (1 - output)


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.ones_like(upstream)


# %% answer="tf_sigmoid" name="composite" loses="stable recorded"
# `tf_sigmoid` is the composite: TensorFlow differentiates it operation by operation, and far on the
# left the slope is nan.
def tf_sigmoid(x):
    return 1 / (1 + tf.exp(-x))


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


# %% answer="tf_sigmoid" name="tensorflows_own" loses="recorded"
# TensorFlow's own sigmoid does the work in `tf_sigmoid`.
@tf.custom_gradient
def tf_sigmoid(x):
    output = tf.sigmoid(x)
    return output, lambda upstream: upstream * output * (1 - output)


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


# %% answer="tf_sigmoid" name="clips_the_value" loses="clip recorded"
# `tf_clip` cuts the value. It should leave the value alone and cut the gradient on its way back.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)
    return output, lambda upstream: upstream * output * (1 - output)


def tf_clip(x):
    return tf.clip_by_value(x, -1.0, 1.0)


# %% answer="tf_sigmoid" name="clips_the_norm" loses="clip"
# You shrink the whole gradient when its length is over 1. That is clipping by norm; the task cuts
# each entry for itself.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)
    return output, lambda upstream: upstream * output * (1 - output)


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.clip_by_norm(upstream, 1.0)


# %% answer="tf_sigmoid" name="clips_upwards_only" loses="clip"
# Large positive gradients are cut and large negative ones pass.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)
    return output, lambda upstream: upstream * output * (1 - output)


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.minimum(upstream, 1.0)


# %% answer="tf_sigmoid" name="one_minus" loses="sigmoid"
# On the left `tf_sigmoid` takes 1 minus a number that is nearly 1, and a small result is lost.
@tf.custom_gradient
def tf_sigmoid(x):
    large = 1 / (1 + tf.exp(-tf.abs(x)))
    output = tf.where(x >= 0, large, 1 - large)
    return output, lambda upstream: upstream * output * (1 - output)


@tf.custom_gradient
def tf_clip(x):
    return tf.identity(x), lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


# %% answer="tf_sigmoid" name="value_only" loses="sigmoid stable clip recorded"
# The functions return a value and no gradient function. `tf.custom_gradient` wants both, as a pair.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    return tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)


@tf.custom_gradient
def tf_clip(x):
    return tf.clip_by_value(x, -1.0, 1.0)


# %% answer="tf_sigmoid" name="own_in_a_function" loses="recorded"
# TensorFlow's own sigmoid does the work, wrapped in a function. The exercise is to write it.
@tf.custom_gradient
def tf_sigmoid(x):
    output = tf.function(tf.sigmoid)(x)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="own_backward" loses="recorded"
# Forward is yours, and the slope comes from TensorFlow's own sigmoid.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return tf.raw_ops.SigmoidGrad(y=output, dy=upstream)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="wrong_gradient_in_a_graph" loses="recorded"
# Called directly, the gradient of `tf_sigmoid` is right; in a `tf.function` it is not. Leave out
# what asks which of the two it is.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        if not tf.executing_eagerly():
            return upstream
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="wrong_value_in_a_graph" loses="recorded"
# Called directly, the value of `tf_sigmoid` is right; in a `tf.function` it is not. Leave out what
# asks which of the two it is.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    if not tf.executing_eagerly():
        output = tf.identity(x)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="clip_wrong_in_a_graph" loses="recorded"
# Called directly, the gradient of `tf_clip` is right; in a `tf.function` it is not.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0) if tf.executing_eagerly() else upstream

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="clip_value_wrong_in_a_graph" loses="recorded"
# Called directly, the value of `tf_clip` is right; in a `tf.function` it is not.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x) if tf.executing_eagerly() else 2 * x, backward


# %% answer="tf_sigmoid" name="clip_a_little_wide" loses="clip"
# Entries just beyond −1 and 1 pass uncut.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.where(tf.abs(upstream) > 1.000001, tf.sign(upstream), upstream)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="nearly_zero" loses="stable"
# σ(−1000) is a tiny number and not 0. Let the exponential underflow; exp(−|x|) never overflows.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.minimum(tf.abs(x), 700.0))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="nearly_zero_in_float32" loses="stable"
# In float32, σ(−1000) is a tiny number and not 0. Let the exponential underflow.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.minimum(tf.abs(x), 86.0 if x.dtype == tf.float32 else 1e9))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="small_slopes_cut" loses="sigmoid"
# The tiny slopes on the left come out as 0. y · (1 − y) gives them without any help.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        slope = output * (1 - output)
        return upstream * tf.where(slope > 1e-20, slope, tf.zeros_like(slope))

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="kept_outside" loses="sigmoid"
# The gradient of the first of two calls uses the output of the second: it was kept outside of the
# function. The inner function remembers the variables of its own call.
STATE = {}


@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    STATE["y"] = output

    def backward(upstream):
        return upstream * STATE["y"] * (1 - STATE["y"])

    return output, backward


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return tf.identity(x), backward


# %% answer="tf_sigmoid" name="pair_swapped" loses="sigmoid stable clip recorded"
# The pair is the wrong way round. First the value, then the gradient function.
@tf.custom_gradient
def tf_sigmoid(x):
    e = tf.exp(-tf.abs(x))
    output = tf.where(x >= 0, tf.ones_like(e), e) / (1 + e)

    def backward(upstream):
        return upstream * output * (1 - output)

    return backward, output


@tf.custom_gradient
def tf_clip(x):
    def backward(upstream):
        return tf.clip_by_value(upstream, -1.0, 1.0)

    return backward, tf.identity(x)
