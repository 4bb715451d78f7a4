"""What Linux is: page arithmetic, flags, the system calls as records, each release's behaviour, and the model `mm/`."""
