"""RavineRace without a browser: its paths are the library's, its text says them, its page lives."""

from __future__ import annotations

import math
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import traitlets

import chainrule as cr
from chainrule.widgets import RavineRace, TinyNet, write_page
from chainrule.widgets.assets import module, style
from chainrule.widgets.ravine_race import brief, default_settings, result
from chainrule.widgets.ravine_race_math import (
    GOAL,
    STARTS,
    STEPS,
    SURFACES,
    World,
    run,
    uniform,
)

LIBRARY = {
    "SGD": lambda p, o: cr.optim.SGD([p], lr=o["lr"]),
    "Momentum": lambda p, o: cr.optim.SGD([p], lr=o["lr"], momentum=o["momentum"]),
    "Nesterov": lambda p, o: cr.optim.SGD([p], lr=o["lr"], momentum=o["momentum"], nesterov=True),
    "RMSProp": lambda p, o: cr.optim.RMSprop([p], lr=o["lr"], alpha=o["alpha"], eps=o["eps"]),
    "Adam": lambda p, o: cr.optim.Adam([p], o["lr"], (o["beta1"], o["beta2"]), o["eps"]),
}


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("surface", ["ravine", "plateau", "four basins"])
def test_runners_go_where_the_library_goes(name: str, surface: str) -> None:
    options = default_settings(surface)[name]
    world = World(surface, angle=30.0)
    path = run(name, options, world, (-2.5, 1.25))[:41]
    p = cr.tensor(np.array([-2.5, 1.25]), requires_grad=True)
    optimizer = LIBRARY[name](p, options)
    for here in path[1:]:
        p.grad = cr.tensor(np.array(world.slope(*p.data.tolist())[1:]))
        optimizer.step()
        np.testing.assert_allclose(p.data, here, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("angle", [0.0, -35.0, 90.0])
def test_slopes_are_derivatives(surface: str, angle: float) -> None:
    world, step = World(surface, stretch=9.0, angle=angle), 1e-6
    for x, y in np.random.default_rng(0).uniform(-2.5, 2.5, size=(8, 2)).tolist():
        _, dx, dy = world.slope(x, y)
        found = [
            (
                world.slope(x + step * a, y + step * b)[0]
                - world.slope(x - step * a, y - step * b)[0]
            )
            / (2 * step)
            for a, b in ((1, 0), (0, 1))
        ]
        np.testing.assert_allclose([dx, dy], found, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("surface", SURFACES)
def test_starts_are_above_and_the_finish_exists(surface: str) -> None:
    world = World(surface)
    grid = [world.slope(x, y)[0] for x in np.linspace(-4, 4, 161) for y in np.linspace(-3, 3, 121)]
    assert 0 <= min(grid) < 0.01
    assert world.slope(*STARTS[surface])[0] > 0.5
    where = {"banana": (1 / 0.6, 2 / 3), "saddle": (0, 2), "four basins": (3 / 1.3, 2 / 1.6)}
    assert world.slope(*where.get(surface, (0, 0)))[0] == pytest.approx(0, abs=1e-12)


def test_the_results_that_the_lesson_speaks_of() -> None:
    def results(**traits: object) -> dict[str, str]:
        return {name: words for name, _, words in RavineRace(**traits).rows()}

    def turned(stretch: float) -> dict[str, str]:
        turn = math.radians(45)
        x, y = STARTS["ravine"]
        start = [x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)]
        return results(angle=45, stretch=stretch, start=start)

    for race in (results(), turned(25)):
        steps = [race[name] for name in ("SGD", "Momentum", "Nesterov")]
        assert steps == [f"finished at step {n}" for n in (34, 61, 50)]
    for stretch, before, after in ((25, 53, 110), (100, 52, 214)):
        assert results(stretch=stretch)["Adam"] == f"finished at step {before}"
        assert turned(stretch)["Adam"] == f"finished at step {after}"
    far = results(surface="plateau", start=[-4, 3])
    assert far["SGD"].startswith("not there") and "finished" in far["Adam"] + far["RMSProp"]
    assert "left again" in results(settings={"Momentum": {"momentum": 0.99}})["Momentum"]
    bumps = results(surface="bumps")
    assert all(words.startswith("not there") for words in bumps.values())
    assert "finished" in results(surface="bumps", settings={"Adam": {"lr": 0.8}})["Adam"]


def test_adam_with_a_large_eps_swings_like_momentum() -> None:
    def swings(path: list[tuple[float, float]]) -> int:
        signs = np.sign(np.array(path)[:120, 1])
        return int((signs[1:] != signs[:-1]).sum())

    plain, blunt = RavineRace(), RavineRace(settings={"Adam": {"lr": 10.0, "eps": 10.0}})
    aim = swings(plain.paths()["Momentum"])
    assert abs(swings(blunt.paths()["Adam"]) - aim) <= 1 < abs(swings(plain.paths()["Adam"]) - aim)


def test_noise_is_reproducible_and_the_same_for_all() -> None:
    assert list(islice(uniform(1), 3)) == [
        0.6270739405881613,
        0.002735721180215478,
        0.5274470399599522,
    ]
    one, two = RavineRace(noise=0.5, seed=3), RavineRace(noise=0.5, seed=4)
    assert one.paths() == RavineRace(noise=0.5, seed=3).paths() != two.paths()
    draws = list(islice(uniform(9), 4000))
    assert 0 <= min(draws) < 0.01 and 0.99 < max(draws) < 1 and abs(np.mean(draws) - 0.5) < 0.02


def test_results_in_words() -> None:
    calm, low = [1.0] * (STEPS + 1), GOAL / 2
    assert result(calm) == "not there: loss 1"
    assert result([1.0] * 7 + [low] * (STEPS - 6)) == "finished at step 7"
    assert result([1.0, low, *calm[2:]]) == "crossed at step 1, left again: loss 1"
    assert result([1.0] * 12) == "ran away at step 12"
    away = RavineRace(settings={"SGD": {"lr": 2.5}})
    assert away.rows()[0][2].startswith("ran away at step")
    assert len(away.paths()["SGD"]) < STEPS


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (-2.7, "−2.7"), (0.0, "0"), (1e-8, "1.0e−8"), (123.46, "123"), (1.5e7, "1.5e7")],
)
def test_numbers_are_brief(value: float, text: str) -> None:
    assert brief(value) == text


@pytest.mark.parametrize(
    "traits",
    [
        {"surface": "moon"},
        {"stretch": 0.5},
        {"angle": math.nan},
        {"noise": -1.0},
        {"start": [1.0]},
        {"start": [9.0, 0.0]},
        {"settings": {"Adam": {"lr": 100.0}}},
        {"settings": {"SGD": {"momentum": 0.5}}},
        {"settings": {"Lion": {"lr": 0.1}}},
        {"hidden": ["Lion"]},
        {"step": 301},
    ],
)
def test_what_is_no_race_is_refused(traits: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        RavineRace(**traits)


def test_the_text_says_settings_and_results() -> None:
    race = RavineRace(angle=45, hidden=["SGD"])
    text = race.text()
    assert text.startswith("ravine, turned by 45°, stretch 25, noise 0, from x = −2.7, y = 1.2;")
    assert all(word in text for row in race.rows() for word in row)
    assert "does not run" in race.rows()[0][2]
    data, _ = race._repr_mimebundle_()
    assert data["text/plain"] == text


def test_the_module_is_one_file_that_asks_nobody() -> None:
    source = module("ravine_race.js")
    assert not re.search(r"^\s*import\b|\bimport\(", source, flags=re.MULTILINE)
    assert source.count("export ") == source.count("export default") == 1
    assert re.findall(r"https?://[^\"\s]+", source) == ["http://www.w3.org/2000/svg"]
    names = re.findall(r"^(?:const|function) (\w+)", source, flags=re.MULTILINE)
    assert len(names) == len(set(names)), "two files use one name"
    assert "</script" not in source
    assert not re.search(r"@import|url\(", style("ravine_race.css"))


def test_a_page_holds_it_beside_another_widget(tmp_path: Path) -> None:
    page = write_page(tmp_path / "two.html", RavineRace(), TinyNet()).read_text("utf-8")
    assert page.count("</script>") == 2
    assert "finished at step 34" in page, "the text form, for a reader without JavaScript"
