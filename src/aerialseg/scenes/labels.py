"""Class ids of the masks."""

from enum import IntEnum


class Label(IntEnum):
    """The AeroScapes classes; the value is the id in the masks."""

    BACKGROUND = 0
    PERSON = 1
    BIKE = 2
    CAR = 3
    DRONE = 4
    BOAT = 5
    ANIMAL = 6
    OBSTACLE = 7
    CONSTRUCTION = 8
    VEGETATION = 9
    ROAD = 10
    SKY = 11
