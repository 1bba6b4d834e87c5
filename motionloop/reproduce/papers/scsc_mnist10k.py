"""SCSC's image experiment on 10,000 digits of MNIST."""

from motionloop.reproduce.class_means import correction_by_means

EXPERIMENT = correction_by_means(
    "scsc_mnist10k",
    {"small": "scsc_mnist10k", "paper": "scsc_mnist"},
    "Does it on MNIST, with 4,000 of 10,000 digits?",
    data="data/mnist-10k.npz",
)
