"""What is compared: TuningSweep, bare Ray Tune, Optuna with joblib, a process pool. Each runs the same trials."""
