"""What the scenes are made of, as mask ids."""

from enum import IntEnum


class Label(IntEnum):
    """The AeroScapes classes by name; the value is the id that the masks hold."""

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
