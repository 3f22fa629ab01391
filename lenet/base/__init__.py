"""What all rooms of lenet may lean on."""
