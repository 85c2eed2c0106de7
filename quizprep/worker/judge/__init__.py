"""The trusted child of the nursery: it holds the reference and decides the verdict."""
