"""Images beside what excites a channel: numbers and pictures."""

import base64
import io
import json
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image

from nasablate.figures.feature_maps import Excited, FeatureMaps, feature_maps_svg, signed_levels


def maps(side=5, network="<b>&'한"):
    projection = np.zeros((3, side, side))
    projection[0, 1, 2], projection[2, 0, 0] = -2.0, 1.0
    picture = np.full((3, side, side), 7, np.uint8)
    found = tuple(Excited(channel, image, 3.5 - image, (1, 2), picture, projection)
                  for channel in (0, 3) for image in (0, 1))  # fmt: skip
    return FeatureMaps(network, "stages.0.1", 16, 100, found)


def pictures(svg):
    found = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}image")
    for one in found:
        data = base64.b64decode(one.get("href").removeprefix("data:image/png;base64,"))
        yield np.asarray(Image.open(io.BytesIO(data)))


def test_zero_is_grey_and_the_largest_magnitude_spans_the_range():
    levels = signed_levels(maps().found[0].projection)
    assert levels[0, 1, 2] == 0
    assert levels[2, 0, 0] == 192
    assert levels[1, 4, 4] == 128
    assert (signed_levels(np.zeros((1, 2, 2))) == 128).all()


def test_every_image_stands_beside_its_projection():
    found = list(pictures(feature_maps_svg(maps())))
    assert len(found) == 8
    assert (found[0] == 7).all()
    assert (found[1] == signed_levels(maps().found[0].projection).transpose(1, 2, 0)).all()


def test_large_images_are_made_smaller():
    assert all(found.shape[0] == 96 for found in pictures(feature_maps_svg(maps(side=224))))


def test_numbers_are_the_same_in_words_data_and_picture():
    document = json.loads(json.dumps(maps().document()))
    assert document["found"][1] == {"channel": 0, "image": 1, "activation": 2.5, "row": 1,
                                    "column": 2, "largest": 2.0}  # fmt: skip
    svg = feature_maps_svg(maps())
    words = " ".join(found.text or "" for found in ET.fromstring(svg).iter())
    for one in document["found"]:
        assert f"image {one['image']}: {one['activation']}" in words
        assert f"{one['activation']} in image {one['image']}" in maps().alt_text()
