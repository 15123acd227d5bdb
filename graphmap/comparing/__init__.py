"""What two artifacts share, rename, change, add and drop."""
