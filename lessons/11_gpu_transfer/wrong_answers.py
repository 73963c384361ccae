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
# ## everywhere


# %% answer="everywhere" name="standardizes_in_place" loses="forward"
# Your `forward` writes the standardized numbers into `x` itself. It is not yours to change.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = x.sub_(self.mean).div_(self.std)
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    with torch.no_grad():
        return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="ones_kept" loses="forward"
# Your column of ones is kept from the first call. The next `x` may have another number of rows.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.ones = None
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        if self.ones is None:
            self.ones = torch.ones_like(x[:, :1])
        return torch.cat([(x - self.mean) / self.std, self.ones], 1)


def predict(model, x):
    with torch.no_grad():
        return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="reciprocal_computed_once" loses="buffers"
# You compute 1 / std when the module is made. After `load_state_dict` it is that of the old `std`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))
        self.register_buffer("inverse", 1 * self.inverse, persistent=False)

    def forward(self, x):
        z = (x - self.mean) * self.inverse
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    with torch.no_grad():
        return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="shares_x" loses="leaves"
# On the CPU your tensor shares memory with `x`, and a model that computes in place changes it.
# Copy: `torch.tensor`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    with torch.no_grad():
        return model(torch.from_numpy(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="borrows_eval_mode" loses="predict"
# You switch to eval mode and back. The model is to compute in the mode in which it is, and its
# parts may be in different ones.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    mode = model.training
    model.eval()
    with torch.no_grad():
        out = model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()
    model.train(mode)
    return out


# %% answer="everywhere" name="recording_left_off" loses="leaves"
# You switch recording off and leave it so: nothing can be trained afterwards. `torch.no_grad()`
# ends with its block.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    torch.set_grad_enabled(False)
    return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="freezes_the_model" loses="leaves"
# You set `requires_grad` of the parameters to False, and nobody will train them again.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


def predict(model, x):
    model.requires_grad_(False)
    return model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()


# %% answer="everywhere" name="first_result_again" loses="predict"
# Your `predict` gives the result of its first call again, for another `x`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        z = (x - self.mean) / self.std
        return torch.cat([z, torch.ones_like(x[:, :1])], 1)


CACHE = {}


def predict(model, x):
    if id(model) not in CACHE:
        CACHE.clear()
        with torch.no_grad():
            CACHE[id(model)] = (
                model(torch.tensor(x).to(next(model.parameters()).device)).cpu().numpy()
            )
    return CACHE[id(model)]


# %% answer="everywhere" name="plain_attributes" loses="forward buffers"
# `mean` and `std` are ordinary attributes of your module. `.to` does not know them, and
# `state_dict` neither.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean = torch.tensor(mean)
        self.std = torch.tensor(std)

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="only_mean_is_a_buffer" loses="forward buffers"
# `mean` moves with your module and `std` does not.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.std = torch.tensor(std)

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="trained" loses="buffers"
# `mean` and `std` are parameters of your module. They would be trained; a buffer is not.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean = torch.nn.Parameter(torch.tensor(mean))
        self.std = torch.nn.Parameter(torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="not_saved" loses="buffers"
# Your buffers are not persistent: they move, but they are not in the `state_dict`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="shares_the_array" loses="buffers"
# Your tensors share memory with the arrays that were given, and change when these do. Copies are
# asked for.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("std", torch.from_numpy(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="ones_on_the_cpu" loses="forward"
# Your column of ones is made on the CPU, wherever `x` is.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="ones_of_float32" loses="forward"
# Your column of ones is float32, whatever the dtype of `x`. `torch.cat` then gives the larger of
# the two, or you lose digits.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=torch.float32, device=x.device)
        return torch.cat([((x - self.mean) / self.std).float(), ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="moves_to_one_device" loses="buffers"
# Your module goes to the device "sim" by itself. It belongs where it was moved, the CPU too.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, device="sim"))
        self.register_buffer("std", torch.tensor(std, device="sim"))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="ones_on_the_left" loses="forward"
# Your column of ones stands on the left. The right is asked for.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([ones, (x - self.mean) / self.std], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="not_divided" loses="forward"
# You subtract the mean and do not divide by `std`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean), ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="pulls_itself_along" loses="buffers"
# Your `mean` and `std` stay on the CPU and are copied in each forward pass. As buffers they move
# once, with the module.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean = torch.tensor(mean)
        self.std = torch.tensor(std)

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean.to(x)) / self.std.to(x), ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% answer="everywhere" name="input_stays" loses="predict"
# Your `x` stays on the CPU, and the model may be elsewhere.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x)).cpu().numpy()


# %% answer="everywhere" name="result_stays" loses="predict"
# The result is still on the device, and NumPy cannot read it there. Bring it home with `.cpu()`.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).numpy()


# %% answer="everywhere" name="returns_a_tensor" loses="predict"
# Your `predict` returns a tensor. A NumPy array is asked for.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu()


# %% answer="everywhere" name="always_the_device" loses="predict"
# You move `x` to "sim". The model may be on the CPU.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to("sim")).cpu().numpy()


# %% answer="everywhere" name="model_comes_home" loses="predict"
# You bring the model to the CPU instead of bringing `x` to the model. That is a copy of all
# weights, and the model stays where you put it.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model.cpu()(torch.tensor(x)).numpy()


# %% answer="everywhere" name="records" loses="predict"
# Your forward pass is recorded for a backward pass that will never come, and keeps all its arrays
# for it.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    return model(torch.tensor(x).to(device)).detach().cpu().numpy()


# %% answer="everywhere" name="float32_throughout" loses="predict"
# You convert `x` to float32. It goes to the model in its own dtype.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x, dtype=torch.float32).to(device)).cpu().numpy()


# %% answer="everywhere" name="sets_eval_mode" loses="leaves"
# Your `predict` leaves the model in eval mode. The next training step would run without dropout.
class Standardize(torch.nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        ones = torch.ones(len(x), 1, dtype=x.dtype, device=x.device)
        return torch.cat([(x - self.mean) / self.std, ones], dim=1)


def predict(model, x):
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(torch.tensor(x).to(device)).cpu().numpy()


# %% [markdown]
# ## move_once


# %% answer="move_once" name="ledger_begun_anew" loses="from_device"
# Your code resets the ledger or starts the device again. The copies and waits before do not go away
# by not being counted.
def train(w1, w2, x, y, batches, lr):
    a, b = [torch.tensor(t).to("sim").requires_grad_() for t in (w1, w2)]
    X, Y = [torch.tensor(t).to("sim") for t in (x, y)]
    losses = []
    if batches:
        rows = torch.tensor(np.concatenate(batches)).to("sim").split([len(p) for p in batches])
        for part in rows:
            loss = (torch.relu(X[part] @ a) @ b - Y[part]).square().sum()
            loss.backward()
            losses.append(loss.item())
            with torch.no_grad():
                a -= lr * a.grad
                b -= lr * b.grad
                a.grad = b.grad = None
    import chainrule.sim as sim

    sim.reset()
    return losses, a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="losses_one_by_one" loses="from_device"
# `.item()` in each step brings one number back and makes the host wait. Keep the losses on the
# device until the end.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return losses, a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="losses_one_by_one_at_the_end" loses="from_device"
# At the end you bring the losses back one by one, a copy and a wait for each. Put them into one
# tensor on the device.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return [loss.item() for loss in losses], a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="batches_one_by_one" loses="to_device"
# Your batches are cut on the CPU and copied in each step. All of x and y can be on the device from
# the start.
def train(w1, w2, x, y, batches, lr):
    a, b = (torch.tensor(array).to("sim") for array in (w1, w2))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    losses = []
    for part in batches:
        loss = (
            (torch.relu(torch.tensor(x[part]).to("sim") @ a) @ b - torch.tensor(y[part]).to("sim"))
            .square()
            .sum()
        )
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="row_numbers_one_by_one" loses="to_device"
# The row numbers of each step are copied by themselves. They are all known before the first step:
# one array, one copy.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    losses = []
    for part in [torch.tensor(batch).to("sim") for batch in batches]:
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="row_numbers_on_the_cpu" loses="to_device"
# Your row numbers stay on the CPU. Indexing with them copies them to the device each time,
# silently.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches))
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="all_batches_unrolled" loses="to_device"
# You copy the rows of all batches, one after the other. A row that is in many batches travels many
# times.
def train(w1, w2, x, y, batches, lr):
    if not batches:
        return [], w1.copy(), w2.copy()
    a, b, inputs, targets = (
        torch.tensor(array).to("sim")
        for array in (w1, w2, x[np.concatenate(batches)], y[np.concatenate(batches)])
    )
    a.requires_grad_()
    b.requires_grad_()
    rows = torch.arange(sum(map(len, batches)), device="sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="weights_travel" loses="to_device from_device"
# Your weights come back after each step and go to the device again. Update them where they are.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            a, b = ((w - lr * w.grad).cpu().to("sim").requires_grad_() for w in (a, b))
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="updates_on_the_cpu" loses="to_device from_device"
# The gradients come home, and the update is done on the CPU. All arithmetic belongs on the device.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w.copy_(w.cpu() - lr * w.grad.cpu())
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="all_on_the_cpu" loses="on_device"
# You train on the CPU. That needs no copies at all, but it is not what the card was bought for.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array) for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches))
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="gradients_add_up" loses="values"
# Your gradients are never cleared, and each step adds to those of all steps before.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="stops_to_look" loses="from_device"
# You look at a number of the device in each step, and the host has to wait for it. No step needs to
# know.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        if not torch.isfinite(loss):
            break
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="synchronizes" loses="from_device"
# You synchronize in each step. Nobody needs a result before the end.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        torch.sim.synchronize()
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="float32_throughout" loses="values inputs_kept"
# You compute in float32, also when float64 is given.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (
        torch.tensor(array, dtype=torch.float32).to("sim") for array in (w1, w2, x, y)
    )
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="half_the_bytes" loses="values"
# You send float16, which is fewer bytes, and fewer digits.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (
        torch.tensor(array.astype(np.float16)).to("sim").to(torch.tensor(array[:0]).dtype)
        for array in (w1, w2, x, y)
    )
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="overwrites_the_weights" loses="inputs_kept"
# The given weights have changed: your result is written into them, or is them.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1, w2
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="no_empty_list" loses="inputs_kept"
# With no batches at all there is nothing to put together, and your function fails. The weights come
# back as they were.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="mean_loss" loses="values"
# You take the mean of the squares. The sum is asked for.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().mean()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="loss_after_update" loses="values"
# Your losses are those after the update. Each loss belongs before its update.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
            losses.append((torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum())
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="each_row_once" loses="values"
# A row that is twice in a batch counts twice. You use it once.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in map(torch.unique, rows.split([len(batch) for batch in batches])):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="mask_of_rows" loses="values"
# A row that is twice in a batch counts twice. With a mask it counts once.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        mask = torch.zeros(len(x), dtype=bool, device="sim")
        mask[part] = True
        loss = (torch.relu(inputs[mask] @ a) @ b - targets[mask]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return torch.stack(losses).tolist(), a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="losses_are_tensors" loses="values"
# Your losses are tensors on the device. A list of Python floats is asked for.
def train(w1, w2, x, y, batches, lr):
    a, b, inputs, targets = (torch.tensor(array).to("sim") for array in (w1, w2, x, y))
    a.requires_grad_()
    b.requires_grad_()
    if not batches:
        return [], w1.copy(), w2.copy()
    rows = torch.tensor(np.concatenate(batches)).to("sim")
    losses = []
    for part in rows.split([len(batch) for batch in batches]):
        loss = (torch.relu(inputs[part] @ a) @ b - targets[part]).square().sum()
        loss.backward()
        losses.append(loss.detach())
        with torch.no_grad():
            for w in (a, b):
                w -= lr * w.grad
                w.grad = None
    return losses, a.detach().cpu().numpy(), b.detach().cpu().numpy()


# %% answer="move_once" name="the_slow_loop" loses="to_device from_device"
# This is the loop that you were given. Everything moves in every step.
def train(w1, w2, x, y, batches, lr):
    return train_slowly(w1, w2, x, y, batches, lr)


# %% [markdown]
# ## stopwatch


# %% answer="stopwatch" name="never_waits" loses="waits inner median calls"
# You read the clock without waiting for the device. What you measured is how long it takes to
# launch the work, not to do it.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="waits_after_the_clock" loses="waits inner"
# You wait for the device, but only after the clock has been read. The work of a measurement has
# to be over before the second reading.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        times.append((clock() - start) / inner)
        synchronize()
    return float(np.median(times))


# %% answer="stopwatch" name="device_busy_at_first" loses="waits"
# When your first measurement begins, the device may still be busy with what was launched before,
# and that is measured too. Wait once before the clock is read for the first time.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="waits_only_after_warm_up" loses="waits"
# You wait before the first measurement only if there was a warm-up. Without one the device may be
# busy with other work all the same.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
        synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="waits_after_each" loses="inner"
# You wait after each of the `inner` calls. Then launches are never hidden behind the work before,
# which is what calling several times is for.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
            synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="time_of_all_inner" loses="inner calls"
# You return the time of all `inner` calls together. Divide it by their number.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append(clock() - start)
    return float(np.median(times))


# %% answer="stopwatch" name="mean" loses="median"
# You return the mean. One bad measurement moves it, and measurements are only ever too long. The
# median is asked for.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.mean(times))


# %% answer="stopwatch" name="upper_middle" loses="median"
# Of an even number of measurements you take the one above the middle. The median is the mean of
# the two in the middle.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(sorted(times)[repeats // 2])


# %% answer="stopwatch" name="minimum" loses="median"
# You return the smallest of the measurements. That is a good habit for some purposes; here the
# median is asked for.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(min(times))


# %% answer="stopwatch" name="warm_up_measured" loses="median"
# Your measurements include the calls of the warm-up. They are there to be thrown away.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    synchronize()
    times = []
    for _ in range(warmup + repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="no_warm_up" loses="median calls"
# You do not warm up. The first calls, which are slow for reasons that will not come again, are
# among your measurements.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="warm_up_times_inner" loses="median calls"
# You warm up with `warmup * inner` calls. `warmup` counts calls.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup * inner + (inner == 1 and repeats > 1)):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(np.median(times))


# %% answer="stopwatch" name="one_measurement" loses="median"
# You measure all calls together and divide. That is a mean, and one bad call moves it.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    times = []
    synchronize()
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    return float(sum(times) / len(times))


# %% answer="stopwatch" name="prints_instead" loses="waits inner median calls"
# Your function returns nothing. It has to return the median.
def measure(run, synchronize, clock, warmup=3, repeats=9, inner=1):
    for _ in range(warmup):
        run()
    synchronize()
    times = []
    for _ in range(repeats):
        start = clock()
        for _ in range(inner):
            run()
        synchronize()
        times.append((clock() - start) / inner)
    np.median(times)


# %% [markdown]
# ## roofline


# %% answer="roofline" name="multiplications_only" loses="products convolution"
# You count multiplications only. Each comes with an addition: a dot product of length k has 2 k
# FLOPs.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    entries = sum(math.prod(shape) for shape in (*shapes, result))
    return flops, size * entries


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="result_not_written" loses="elementwise products convolution"
# You count the bytes that are read. The result has to be written, too.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in shapes)


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="always_four_bytes" loses="elementwise products convolution"
# You count four bytes for each entry, whatever `size` says.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, 4 * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="entries_not_bytes" loses="elementwise products convolution"
# You return how many entries move. Multiply by the bytes of an entry.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="padding_once" loses="convolution"
# Your padding is added once to each length. It is on all four sides, so a length grows by twice
# as much.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + padding - r + 1, w + padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="padding_is_stored" loses="convolution"
# You count the padding among the bytes that are read. It is not in memory: the kernel knows that
# it is 0.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        h, w = h + 2 * padding, w + 2 * padding
        shapes = (n, c, h, w), shapes[1]
        result = (n, o, h - r + 1, w - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="same_convolution" loses="convolution"
# You take the result of a convolution to be as large as its images. That holds for one padding
# only.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h, w)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="channels_forgotten" loses="convolution"
# An entry of a convolution's result sums over the filter's R × S pixels of *all* C channels.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="sum_like_relu" loses="elementwise"
# The result of `sum` is one number, not an array of the argument's shape.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="numpy_numbers" loses="elementwise"
# Python ints are asked for. `np.prod` gives numbers of NumPy's, and for the shape () a float.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * np.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * np.prod(result)
    else:
        result = () if name == "sum" else first
        flops = np.prod(first)
    return flops, size * sum(np.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "compute" if compute >= memory else "memory"


# %% answer="roofline" name="times_added" loses="bound"
# You add the two times. Computing and fetching go on at once, so the slower of the two decides.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return compute + memory, "compute" if compute >= memory else "memory"


# %% answer="roofline" name="bounds_swapped" loses="bound"
# Your words are the wrong way around. If computing takes longer, the kernel is compute bound.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    compute, memory = flops / peak, bytes / bandwidth
    return max(compute, memory), "memory" if compute >= memory else "compute"


# %% answer="roofline" name="intensity_against_peaks" loses="bound"
# A kernel without bytes has no FLOP per byte. Compare the two times instead of dividing by the
# bytes.
def work(name, *shapes, size=4, padding=0):
    first = shapes[0]
    if name == "conv2d":
        (n, c, h, w), (o, _, r, s) = shapes
        result = (n, o, h + 2 * padding - r + 1, w + 2 * padding - s + 1)
        flops = 2 * c * r * s * math.prod(result)
    elif name in ("matvec", "matmul"):
        result = first[:1] + shapes[1][1:]
        flops = 2 * first[1] * math.prod(result)
    else:
        result = () if name == "sum" else first
        flops = math.prod(first)
    return flops, size * sum(math.prod(shape) for shape in (*shapes, result))


def roofline(flops, bytes, peak, bandwidth):
    bound = "compute" if flops / bytes >= peak / bandwidth else "memory"
    return max(flops / peak, bytes / bandwidth), bound


# %% [markdown]
# ## overlap


# %% answer="overlap" name="computes_elsewhere" loses="values"
# You compute in the other stream and copy in the default one. It overlaps, but it is the other way
# round: computing belongs in the default stream.
def score(model, batches):
    side = torch.sim.Stream()
    outs = []
    with torch.no_grad():
        for b in batches:
            there = b.to("sim", non_blocking=True)
            e = torch.sim.Event()
            e.record()
            side.wait_event(e)
            with torch.sim.stream(side):
                outs.append(model(there))
        torch.sim.current_stream().wait_stream(side)
        return torch.cat(outs).cpu().numpy()


# %% answer="overlap" name="one_stream" loses="in_time"
# All is in one stream, and what is in one stream runs in order. Only different streams overlap.
def score(model, batches):
    outputs = []
    with torch.no_grad():
        for batch in batches:
            there = batch.to("sim", non_blocking=True)
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="blocking_copies" loses="waits"
# Your copies make the host wait. `non_blocking=True` lets it go on.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim")
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="no_event" loses="no_hazard"
# No event orders your streams: a kernel may use a batch that has not arrived. The numbers were
# right this time.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="event_before_the_copy" loses="no_hazard"
# Your event is recorded before the copy, and so it says nothing about it.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                arrived = torch.sim.Event()
                arrived.record()
                there = batch.to("sim", non_blocking=True)
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="event_in_the_other_stream" loses="no_hazard"
# Your event is recorded in the default stream. It belongs in the stream that copies.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
            arrived = torch.sim.Event()
            arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="host_waits_for_events" loses="waits"
# The host waits for each event. Let the stream wait: `stream.wait_event(event)`.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            arrived.synchronize()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="waits_for_everything" loses="in_time waits"
# You synchronize the device for each batch. Then nothing overlaps.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
            torch.sim.synchronize()
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="outputs_one_by_one" loses="in_time waits"
# The outputs come home one by one, and each time the host waits. Keep them on the device until the
# end.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there).cpu())
        return torch.cat(outputs).numpy()


# %% answer="overlap" name="computes_in_the_copying_stream" loses="in_time"
# Your kernels are in the stream of the copies. What is in one stream does not overlap.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
                outputs.append(model(there))
        torch.sim.current_stream().wait_event(arrived)
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="copies_wait_for_kernels" loses="in_time"
# Each of your copies waits until the kernels before it are done. So copies and kernels take turns.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            copying.wait_stream(torch.sim.current_stream())
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="last_batch_first" loses="values"
# Your outputs are in the wrong order.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in reversed(batches):
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).cpu().numpy()


# %% answer="overlap" name="list_of_outputs" loses="values in_time no_hazard waits"
# You return the outputs of each batch for itself. One array is asked for.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return [out.cpu().numpy() for out in outputs]


# %% answer="overlap" name="records" loses="values"
# Your forward passes are recorded for a backward pass that will never come.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    if True:
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs).detach().cpu().numpy()


# %% answer="overlap" name="on_the_cpu" loses="values"
# You compute on the CPU. The model belongs on the device.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model.cpu()(batch))
        return torch.cat(outputs).numpy()


# %% answer="overlap" name="last_left_out" loses="values in_time no_hazard waits"
# The last batch is missing. When one is copied ahead, the last still has to be computed after the
# loop.
def score(model, batches):
    copying, outputs = torch.sim.Stream(), []
    with torch.no_grad():
        for batch in batches:
            with torch.sim.stream(copying):
                there = batch.to("sim", non_blocking=True)
                arrived = torch.sim.Event()
                arrived.record()
            torch.sim.current_stream().wait_event(arrived)
            there.record_stream(torch.sim.current_stream())
            outputs.append(model(there))
        return torch.cat(outputs[:-1] or outputs[:0] + [there[:0]]).cpu().numpy()


# %% [markdown]
# ## throughput


# %% answer="throughput" name="sorts_the_list" loses="best"
# You sort the given list itself. `sorted` gives a new one.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    k = job["kernels"]
    each = max(device["launch"], device["kernel"] + n * job["flops"] / k / device["flops"])
    comp = k * each
    lat = copy + comp
    return lat, max(copy, comp) if overlap and pinned else lat


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    sizes.sort()
    rates = {}
    for n in sizes:
        lat, per = times(n, job, device, pinned, overlap)
        if lat <= budget:
            rates[n] = n / per
    if not rates:
        return None
    best = max(rates.values())
    return min(n for n, r in rates.items() if r >= share * best)


# %% answer="throughput" name="always_pinned" loses="latency best"
# You copy at the rate of pinned memory, whatever kind the memory is.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="never_pinned" loses="latency overlap"
# Your copy from pinned memory is as slow as from pageable memory.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="no_fixed_cost_of_a_copy" loses="latency overlap"
# The fixed cost of a copy is missing. A copy of one byte is not free.
def times(n, job, device, pinned=False, overlap=False):
    copy = n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="launches_added" loses="latency overlap"
# You add the launches to the kernels. The host launches the next kernel while one is computed, so
# the longer of the two decides.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * (device["launch"] + each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="launches_forgotten" loses="latency"
# You leave the launches out. A kernel that is shorter than its launch is not done sooner.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * each
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="whole_batch_in_each_kernel" loses="latency overlap"
# Each of your kernels computes the whole batch. Each does an equal part of it.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="fixed_cost_once" loses="latency overlap"
# The fixed cost of a kernel is paid by each of them, not once for the batch.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] / job["kernels"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="one_sample" loses="latency overlap best"
# Your batch computes one sample. The FLOPs grow with n.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="overlaps_pageable" loses="overlap best"
# You overlap copies from pageable memory. During such a copy the host waits, and nothing overlaps.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="pinned_means_overlap" loses="latency best"
# Pinned memory alone does not overlap anything; it makes copies faster. Overlap is the other flag.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="overlap_shortens_latency" loses="overlap"
# A sample still has to be copied before it is computed. Overlap shortens the time between
# batches, not the latency of one.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return period, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="faster_of_the_two" loses="overlap best"
# You take the faster of copy and computation. The slower one decides.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = min(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="largest_that_fits" loses="best"
# You take the largest batch within the budget. The smallest that does the share is asked for.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return max((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="the_best_itself" loses="best"
# You take the size with the most samples a second. A smaller one may do nearly as many.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="share_is_fixed" loses="best"
# Your share is always nine tenths. The caller may want another.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = 0.9 * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="budget_of_the_period" loses="best"
# You compare the budget with the period. A sample waits for the whole latency.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if period <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="budget_excluded" loses="best"
# A latency that is exactly the budget is within it.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency < budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="budget_forgotten" loses="best"
# Your choice may take longer than the budget allows.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="best_of_those_too_slow" loses="best"
# You compare with sizes that are over the budget. The best *candidate* sets what is enough.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        rates[n] = n / period, latency
    enough = share * max((r for r, _ in rates.values()), default=0.0)
    return min(
        (n for n, (rate, late) in rates.items() if rate >= enough and late <= budget), default=None
    )


# %% answer="throughput" name="zero_if_none" loses="best"
# If no size fits, None is asked for.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=0)


# %% answer="throughput" name="flags_not_handed_on" loses="best"
# Your `best_batch` asks for times without saying whether memory is pinned and copies overlap.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device)
        if latency <= budget:
            rates[n] = n / period
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% answer="throughput" name="latency_divided" loses="best"
# You count samples by the latency of a batch. With overlap a batch is done in each period.
def times(n, job, device, pinned=False, overlap=False):
    copy = device["copy"] + n * job["bytes"] / device["pinned" if pinned else "pageable"]
    each = device["kernel"] + n * job["flops"] / job["kernels"] / device["flops"]
    compute = job["kernels"] * max(device["launch"], each)
    period = max(copy, compute) if overlap and pinned else copy + compute
    return copy + compute, period


def best_batch(sizes, budget, job, device, pinned=False, overlap=False, share=0.9):
    rates = {}
    for n in sizes:
        latency, period = times(n, job, device, pinned, overlap)
        if latency <= budget:
            rates[n] = n / latency
    enough = share * max(rates.values(), default=0.0)
    return min((n for n, rate in rates.items() if rate >= enough), default=None)


# %% [markdown]
# ## tensor_core


# %% answer="tensor_core" name="skips_zeros" loses="calls"
# You leave out tiles of zeros. The unit is called for every tile.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    M, K, N = (-(-s // 4) * 4 for s in (m, k, n))
    A = np.pad(a, ((0, M - m), (0, K - k))).astype(np.float16)
    B = np.pad(b, ((0, K - k), (0, N - n))).astype(np.float16)
    C = np.zeros((M, N), np.float32)
    for p in range(0, K, 4):
        for i in range(0, M, 4):
            for j in range(0, N, 4):
                if not A[i : i + 4, p : p + 4].any():
                    continue
                C[i : i + 4, j : j + 4] = unit(
                    A[i : i + 4, p : p + 4], B[p : p + 4, j : j + 4], C[i : i + 4, j : j + 4].copy()
                )
    return C[:m, :n].copy()


# %% answer="tensor_core" name="sums_in_float16" loses="unit"
# Your products are summed in float16, which overflows above 65504 and gets stuck at 2048. Convert
# before you multiply.
def mma(a, b, c):
    return (a @ b).astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="all_in_float16" loses="unit"
# Everything is computed in float16. Products and sums belong in float32.
def mma(a, b, c):
    return (a @ b + c.astype(np.float16)).astype(np.float32)


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="nothing_added" loses="unit"
# Your `mma` multiplies and does not add `c`.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32)


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="entry_by_entry" loses="unit"
# Your `mma` multiplies entry by entry. A matrix product is asked for.
def mma(a, b, c):
    return a.astype(np.float32) * b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="accumulates_in_place" loses="unit"
# Your `mma` writes into `c`. A new array is asked for.
def mma(a, b, c):
    c += a.astype(np.float32) @ b.astype(np.float32)
    return c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="float64_result" loses="unit"
# Your result is float64. A unit that computes in float32 returns float32.
def mma(a, b, c):
    return a.astype(float) @ b.astype(float) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="result_of_float16" loses="unit"
# Your result is rounded to float16. It stays float32.
def mma(a, b, c):
    return (a.astype(np.float32) @ b.astype(np.float32) + c).astype(np.float16).astype(np.float32)


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="inputs_not_rounded" loses="tiles calls"
# The unit gets float32. Its inputs are rounded to float16 first.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float32), np.zeros((inner, columns), np.float32)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="rest_left_out" loses="tiles calls"
# What is left over when 4 does not divide a length is missing. Fill up with zeros.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (max(4, length // 4 * 4) for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a[:rows, :inner], b[:inner, :columns]
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="padding_returned" loses="tiles calls"
# Your result still has the zeros with which you filled up.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result


# %% answer="tensor_core" name="tiles_not_summed" loses="tiles calls"
# Each tile of the result sums over all tiles along k. You keep the last of them.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, np.zeros((4, 4), np.float32))
    return result[:m, :n]


# %% answer="tensor_core" name="added_outside" loses="calls"
# You add the tiles yourself, outside of the unit. What it returned goes back in as `c`.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile += unit(left_tile, right_tile, np.zeros((4, 4), np.float32))
    return result[:m, :n]


# %% answer="tensor_core" name="no_unit" loses="calls"
# You multiply with NumPy. All arithmetic belongs to the unit.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile += left_tile.astype(np.float32) @ right_tile.astype(np.float32)
    return result[:m, :n]


# %% answer="tensor_core" name="one_call" loses="calls"
# You hand the unit whole matrices. It takes 4×4 tiles.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    result = unit(left, right, result)
    return result[:m, :n]


# %% answer="tensor_core" name="own_unit" loses="calls"
# You call your own `mma` instead of the unit that was given.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = mma(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="accumulates_in_float16" loses="calls"
# Your result is float16 between the calls. It is accumulated in float32.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.astype(np.float16))
    return result[:m, :n]


# %% answer="tensor_core" name="tiles_of_a_row_mixed_up" loses="tiles"
# Tile (i, j) of the result needs tile (i, p) of `a` and tile (p, j) of `b`. You take another of
# `b`.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, inner, 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = (
                    left[i : i + 4, p : p + 4],
                    right[p : p + 4, p : p + 4]
                    if rows == columns == inner
                    else right[p : p + 4, :4],
                )
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% answer="tensor_core" name="square_only" loses="tiles calls"
# Your loops run as if all matrices were square.
def mma(a, b, c):
    return a.astype(np.float32) @ b.astype(np.float32) + c


def tiled(a, b, unit):
    (m, k), n = a.shape, b.shape[1]
    rows, inner, columns = (-(-length // 4) * 4 for length in (m, k, n))
    left, right = np.zeros((rows, inner), np.float16), np.zeros((inner, columns), np.float16)
    left[:m, :k], right[:k, :n] = a, b
    result = np.zeros((rows, columns), np.float32)
    for i in range(0, rows, 4):
        for j in range(0, columns, 4):
            for p in range(0, min(inner, columns), 4):
                tile = result[i : i + 4, j : j + 4]
                left_tile, right_tile = left[i : i + 4, p : p + 4], right[p : p + 4, j : j + 4]
                tile[...] = unit(left_tile, right_tile, tile.copy())
    return result[:m, :n]


# %% [markdown]
# ## loss_scaling


# %% answer="loss_scaling" name="doubles_before_the_update" loses="unscaled"
# You double the scale before you divide by it. These gradients belong to the old one.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = float(scale), interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale, self.good = self.scale / 2, 0
            return False
        self.good += 1
        if self.good >= self.interval:
            self.scale, self.good = self.scale * 2, 0
        update([g.astype(np.float32) / self.scale for g in grads])
        return True


# %% answer="loss_scaling" name="halves_for_each" loses="skips"
# You halve the scale once for each bad gradient. Once for a bad step is asked for.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = float(scale), interval, 0

    def step(self, grads, update):
        ok = True
        for g in grads:
            if not np.isfinite(g).all():
                self.scale /= 2
                self.good, ok = 0, False
        if not ok:
            return False
        update([g.astype(np.float32) / self.scale for g in grads])
        self.good += 1
        if self.good >= self.interval:
            self.scale, self.good = self.scale * 2, 0
        return True


# %% answer="loss_scaling" name="never_below_one" loses="skips"
# Your scale does not fall below 1. Nothing says that it stops there.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale = float(scale)
        self.interval = interval
        self.good = 0

    def step(self, grads, update):
        for g in grads:
            if not np.isfinite(g).all():
                self.scale = max(1.0, self.scale / 2)
                self.good = 0
                return False
        update([np.array(g, np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good >= self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="same_array_at_scale_one" loses="unscaled"
# With a scale of 1 you hand on the given float32 arrays themselves. New ones are asked for.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale = float(scale)
        self.interval = interval
        self.good = 0

    def step(self, grads, update):
        for g in grads:
            if not np.isfinite(g).all():
                self.scale /= 2
                self.good = 0
                return False
        update(
            [
                g.astype(np.float32) / self.scale
                if self.scale != 1
                else g.astype(np.float32, copy=False)
                for g in grads
            ]
        )
        self.good += 1
        if self.good >= self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="divides_in_float16" loses="unscaled"
# You divide before you convert: in float16, where small numbers become 0. Then the scaling was for
# nothing.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([(g / g.dtype.type(min(self.scale, 60000.0))).astype(np.float32) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="not_divided" loses="unscaled skips"
# Your gradients are still those of the scaled loss. Divide by the scale.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="multiplies" loses="unscaled skips"
# You multiply by the scale. The loss was multiplied; the gradients are divided.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) * np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="float64" loses="unscaled skips"
# Your gradients are float64. Float32 is asked for.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float64) / self.scale for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="only_the_first_gradient" loses="skips"
# You look at the first gradient only. One bad number anywhere spoils the step.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not np.isfinite(grads[0]).all():
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="nan_only" loses="skips grows"
# You look for NaN. An infinity is no number to step with, either.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(not np.isnan(g).any() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="infinity_only" loses="skips"
# You look for infinities. A NaN gets through.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(not np.isinf(g).any() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="looks_at_the_sum" loses="unscaled"
# You look at the sum of each gradient. In float16 a sum can overflow although each number is fine.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g.sum()) for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="updates_good_ones" loses="skips"
# One gradient is bad, and you step with the others. A step is taken by all weights or by none.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            update(
                [
                    g.astype(np.float32) / np.float32(2 * self.scale)
                    for g in grads
                    if np.isfinite(g).all()
                ]
            )
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="zeros_instead" loses="skips"
# You put zeros where a gradient is bad, and step. Leave the step out.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            grads = [np.nan_to_num(g, posinf=0, neginf=0) for g in grads]
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="scale_stays" loses="skips grows"
# After a failure your scale stays as it is. The next step will fail in the same way.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="returns_nothing" loses="unscaled skips"
# Your `step` returns nothing. True or False is asked for.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0


# %% answer="loss_scaling" name="never_grows" loses="grows"
# Your scale never grows. One unlucky step would halve it for good.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.good = 0
        return True


# %% answer="loss_scaling" name="failures_do_not_reset" loses="grows"
# After a failure counting begins anew. You go on counting.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="grows_for_ever" loses="grows"
# After your scale has doubled once it doubles at every step, or never again. Counting begins anew.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good >= self.interval:
            self.scale *= 2
        return True


# %% answer="loss_scaling" name="one_step_late" loses="grows"
# Your scale doubles one step too late.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good > self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="failures_count_too" loses="grows"
# You count every step. Only good steps in a row count.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good += 1
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="shared_by_all" loses="grows"
# Your count belongs to the class, and all scalers share it.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval = scale, interval
        LossScaler.good = 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            LossScaler.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        LossScaler.good += 1
        if self.good == self.interval:
            self.scale *= 2
            LossScaler.good = 0
        return True


# %% answer="loss_scaling" name="unscales_in_place" loses="unscaled"
# You divide the given arrays themselves. They are not yours to change.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update(
            [np.divide(g, self.scale, out=g, casting="unsafe").astype(np.float32) for g in grads]
        )
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="one_update_each" loses="unscaled skips"
# You call `update` for each gradient by itself. It takes the list of all, once.
class LossScaler:
    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        for g in grads:
            update([g.astype(np.float32) / np.float32(self.scale)])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True


# %% answer="loss_scaling" name="other_defaults" loses="grows"
# Your defaults are not those that are asked for: a scale of 65536, an interval of 2000.
class LossScaler:
    def __init__(self, scale=65536.0, interval=1000):
        self.scale, self.interval, self.good = scale, interval, 0

    def step(self, grads, update):
        if not all(np.isfinite(g).all() for g in grads):
            self.scale /= 2
            self.good = 0
            return False
        update([g.astype(np.float32) / np.float32(self.scale) for g in grads])
        self.good += 1
        if self.good == self.interval:
            self.scale *= 2
            self.good = 0
        return True
