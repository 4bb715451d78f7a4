"""vmalab: what mremap(2) really does to virtual memory areas."""
