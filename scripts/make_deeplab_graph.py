"""Write a small frozen TensorFlow graph with the interface and the steps of Google's exported DeepLab graphs.

    pip install tensorflow-cpu        (in an environment of its own; avatalk does not need it)
    python scripts/make_deeplab_graph.py tests/data/deeplab.pb

As in the original's export: `ImageTensor` is one uint8 RGB picture of any size up to 513; it is padded with
the mean colour to 513x513, scaled to -1..1, seen by a network of stride 2, whose scores are enlarged to
513x513; `ArgMax` names a class, the padding is cut off, and `SemanticPredictions` has the picture's size.

The network is one convolution that looks at every second pixel: the score of class 15, a person, is four
times the red channel, that of class 0 is 0, that of all others -20. So a pixel is a person where red is above
127.5, with the probability 1 / (1 + exp(-4 red)).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

SIDE, CLASSES, PERSON = 513, 21, 15
MEAN = 127.5

tf1 = tf.compat.v1


def padded(image: tf.Tensor) -> tf.Tensor:
    """The picture at the top left of a square of the mean colour, with the original's assertions."""
    size = tf.shape(image)
    fits = tf1.assert_less_equal(tf.maximum(size[0], size[1]), SIDE)
    with tf1.control_dependencies([fits]):
        below, right = SIDE - size[0], SIDE - size[1]
    moved = tf.pad(image - MEAN, tf.stack([[0, below], [0, right], [0, 0]]))
    return tf.reshape(moved + MEAN, [SIDE, SIDE, 3])


def network(image: tf.Tensor) -> tf.Tensor:
    """Scores of the classes at every second pixel."""
    kernel = np.zeros((3, 3, 3, CLASSES), np.float32)
    kernel[1, 1, 0, PERSON] = 4
    bias = np.full(CLASSES, -20, np.float32)
    bias[[0, PERSON]] = 0
    around = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf1.nn.conv2d(around, kernel, [1, 2, 2, 1], "VALID") + bias


def main() -> None:
    """Write the graph to the path given."""
    with tf.Graph().as_default() as graph:
        pictures = tf1.placeholder(tf.uint8, [1, None, None, 3], name="ImageTensor")
        image = padded(tf.cast(tf.squeeze(pictures, 0), tf.float32))
        scores = network((2.0 / 255.0) * tf.expand_dims(image, 0) - 1.0)
        large = tf1.image.resize_bilinear(scores, [SIDE, SIDE], align_corners=True)
        classes = tf.cast(tf.argmax(large, 3, name="ArgMax"), tf.float32)
        size = tf.shape(pictures)[1:3]
        own = tf.slice(classes, [0, 0, 0], [1, size[0], size[1]])[..., None]
        shown = tf1.image.resize_nearest_neighbor(own, size, align_corners=True)
        tf.identity(tf.cast(tf.squeeze(shown, 3), tf.int32), name="SemanticPredictions")
        Path(sys.argv[1]).write_bytes(graph.as_graph_def().SerializeToString())


if __name__ == "__main__":
    main()
