"""SCSC's image experiment on digits, and at the paper's size on MNIST."""

from motionloop.reproduce.class_means import correction_by_means

EXPERIMENT = correction_by_means(
    "scsc_images",
    {"small": "scsc_digits", "paper": "scsc_mnist"},
    "Does correction by the nearest class mean hold FID when a model trains on itself?",
)
