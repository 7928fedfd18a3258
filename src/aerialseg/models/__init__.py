"""Networks, their layer groups and weights, and the module that trains them."""
