"""What a prompt asks for: the place, the colours, the weather, and who stands in front."""

from dataclasses import dataclass
from enum import StrEnum

from genpulse.providers.sandbox.pictures.noise import Dice
from genpulse.providers.sandbox.pictures.palette import DEEP, Palette, choose
from genpulse.providers.sandbox.vocabulary import any_of, words_of


class Place(StrEnum):
    """What the ground is like."""

    HILLS = "hills"
    FOREST = "forest"
    MOUNTAINS = "mountains"
    DESERT = "desert"
    CITY = "city"
    DEEP = "deep"
    FLOW = "flow"


class Actor(StrEnum):
    """Who or what stands in front."""

    FOX = "fox"
    WOLF = "wolf"
    CAT = "cat"
    SHEEP = "sheep"
    WHALE = "whale"
    FISH = "fish"
    BOAT = "boat"
    LIGHTHOUSE = "lighthouse"
    HOUSE = "house"
    TREE = "tree"
    CACTUS = "cactus"
    BALLOON = "balloon"


_PLACES = (
    (Place.CITY, any_of("city skyline town street building urban metropolis tokyo york london paris")),
    (Place.DESERT, any_of("desert dune sahara canyon cactus camel sand")),
    (Place.MOUNTAINS, any_of("mountain peak alp himalaya summit volcano cliff")),
    (Place.FOREST, any_of("forest wood pine taiga jungle fir woodland fox wolf deer bear owl")),
    (Place.FLOW, any_of("abstract flow swirl pattern energy music chaos marble texture")),
)
_WATER = any_of(
    "sea ocean lake river boat ship sail sailing sailboat yacht lighthouse coast beach island water harbour harbor"
    " fjord bay"
)
_ACTORS = (
    (Actor.FOX, frozenset({"fox", "vixen"})),
    (Actor.WOLF, frozenset({"wolf", "dog", "coyote", "husky"})),
    (Actor.CAT, frozenset({"cat", "kitten", "kitty"})),
    (Actor.SHEEP, frozenset({"sheep", "lamb"})),
    (Actor.WHALE, frozenset({"whale"})),
    (Actor.FISH, frozenset({"fish", "dolphin", "shark"})),
    (Actor.LIGHTHOUSE, frozenset({"lighthouse"})),
    (Actor.BOAT, any_of("boat ship sail sailing sailboat yacht")),
    (Actor.HOUSE, any_of("house cabin cottage home farm hut")),
    (Actor.BALLOON, frozenset({"balloon"})),
    (Actor.CACTUS, frozenset({"cactus"})),
    (Actor.TREE, frozenset({"tree", "oak"})),
)
_BIRDS = any_of("bird crow gull seagull goose geese raven eagle swallow")
_SNOWFALL = any_of("snow snowing snowfall blizzard winter")
_RAIN = any_of("storm stormy rain rainy thunder tempest")
_CLEAR = any_of("star starry clear sunny sunset sunrise")
_AURORA = frozenset({"aurora", "northern", "borealis", "lights"})


@dataclass(frozen=True, slots=True)
class Scene:
    """`birds` is how many there are. `light_x` is where the sun or moon stands, from 0 (left) to 1."""

    palette: Palette
    place: Place
    water: bool
    actor: Actor | None
    birds: int
    snowfall: bool
    rain: bool
    aurora: bool
    light_x: float


def read(prompt: str, dice: Dice) -> Scene:
    """Decided by the words where they say something, else by the dice."""
    words = words_of(prompt)
    palette = choose(words, dice)
    place = _place(words, palette, dice)
    actor = next((actor for actor, known in _ACTORS if words & known), None)
    dry = place in (Place.DEEP, Place.FLOW, Place.DESERT)
    chance = dice("scene").random(4)
    water = not dry and (bool(words & _WATER) or (place is Place.HILLS and actor is None and chance[0] < 0.4))
    return Scene(
        palette=palette,
        place=place,
        water=water,
        actor=Actor.WHALE if actor is None and place is Place.DEEP and chance[1] < 0.5 else actor,
        birds=_birds(words, place, palette, float(chance[2])),
        snowfall=bool(words & _SNOWFALL) and not dry and not words & _CLEAR,
        rain=bool(words & _RAIN) and not dry,
        aurora=bool(words & _AURORA) and palette.stars > 0,
        light_x=float(0.27 + 0.46 * chance[3]),
    )


def _place(words: frozenset[str], palette: Palette, dice: Dice) -> Place:
    for place, names in _PLACES:
        if words & names:
            return place
    if palette.name == DEEP.name:
        return Place.DEEP
    if words & _WATER or any(words & names for _, names in _ACTORS) or _says_something(words):
        return Place.HILLS
    by_chance = (Place.FLOW, Place.HILLS, Place.MOUNTAINS, Place.FOREST)
    return by_chance[int(dice("place").integers(len(by_chance)))]


def _birds(words: frozenset[str], place: Place, palette: Palette, chance: float) -> int:
    if place in (Place.DEEP, Place.FLOW):
        return 0
    if words & _BIRDS:
        return 9
    return 4 if chance < 0.5 and palette.stars <= 0 else 0


def _says_something(words: frozenset[str]) -> bool:
    return bool(words & (_BIRDS | _SNOWFALL | _RAIN | {"hill", "meadow", "field", "valley", "landscape"}))
