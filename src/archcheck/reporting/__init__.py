"""What people see: reports for terminals, files and notebooks."""
