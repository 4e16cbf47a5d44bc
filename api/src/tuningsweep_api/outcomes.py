"""The closed vocabularies: how a trial can end and why, what a sweep's conditions say and why.

One enum for status, Events, metrics, logs and docs, so that a reason is spelled the same wherever a person meets it.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """How a trial ended; every trial has exactly one."""

    SUCCEEDED = "Succeeded"
    PRUNED = "Pruned"
    LIMIT_EXCEEDED = "LimitExceeded"
    SKIPPED = "Skipped"
    STOPPED = "Stopped"
    FAILED = "Failed"


class Reason(StrEnum):
    """Why a trial ended, or a limit was reported."""

    COMPLETED = "Completed"
    PRUNED_BY_SCHEDULER = "PrunedByScheduler"
    MEMORY_LIMIT_EXCEEDED = "MemoryLimitExceeded"
    GPU_MEMORY_LIMIT_EXCEEDED = "GPUMemoryLimitExceeded"
    MEAN_STEP_TIME_LIMIT_EXCEEDED = "MeanStepTimeLimitExceeded"
    STEP_TIME_LIMIT_EXCEEDED = "StepTimeLimitExceeded"
    TRIAL_DURATION_EXCEEDED = "TrialDurationExceeded"
    PREDICTED_OVER_LIMIT = "PredictedOverLimit"
    OOM_KILLED = "OOMKilled"
    STOP_REQUESTED = "StopRequested"
    SWEEP_DEADLINE_EXCEEDED = "SweepDeadlineExceeded"
    SWEEP_ENDED = "SweepEnded"
    TRAINABLE_ERROR = "TrainableError"
    TRAINING_PROCESS_DIED = "TrainingProcessDied"
    METRIC_MISSING = "MetricMissing"
    GPU_UNREADABLE = "GPUUnreadable"


LIMIT_REASONS = frozenset(
    {
        Reason.MEMORY_LIMIT_EXCEEDED,
        Reason.GPU_MEMORY_LIMIT_EXCEEDED,
        Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED,
        Reason.STEP_TIME_LIMIT_EXCEEDED,
        Reason.TRIAL_DURATION_EXCEEDED,
    }
)


class Phase(StrEnum):
    """One word for people, in `kubectl get`; derived from the conditions, never the other way round."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class ConditionType(StrEnum):
    """Conditions of a sweep: Complete, Failed, Suspended as on a Job; Reconciling, Stalled as kstatus reads them."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class ConditionReason(StrEnum):
    """Reasons of a sweep's conditions; each has an entry in docs/troubleshooting.md."""

    # Complete
    SEARCH_FINISHED = "SearchFinished"
    GOAL_REACHED = "GoalReached"
    # Suspended
    SUSPEND_REQUESTED = "SuspendRequested"
    QUEUED = "Queued"
    PREEMPTED = "Preempted"
    WAITING_FOR_CAPACITY = "WaitingForCapacity"
    RESUMED = "Resumed"
    # Reconciling
    CREATING_CLUSTER = "CreatingCluster"
    WAITING_FOR_DRIVER = "WaitingForDriver"
    TRIALS_RUNNING = "TrialsRunning"
    # Failed
    INVALID_SPEC = "InvalidSpec"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    MAX_FAILED_TRIALS_EXCEEDED = "MaxFailedTrialsExceeded"
    NO_TRIAL_SUCCEEDED = "NoTrialSucceeded"
    DATASET_UNAVAILABLE = "DatasetUnavailable"
    TRAINABLE_UNAVAILABLE = "TrainableUnavailable"
    OBJECTIVE_METRIC_MISSING = "ObjectiveMetricMissing"
    LIMIT_BELOW_FLOOR = "LimitBelowFloor"
    GPU_UNREADABLE = "GPUUnreadable"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    RESULTS_TAKEN = "ResultsTaken"
    DRIVER_FAILED = "DriverFailed"
    # Stalled
    KUBERAY_NOT_INSTALLED = "KubeRayNotInstalled"
    KUBERAY_NOT_RESPONDING = "KubeRayNotResponding"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    UNSCHEDULABLE = "Unschedulable"
    POD_REFUSED = "PodRefused"
    PODS_NOT_READY = "PodsNotReady"
    DRIVER_CRASHING = "DriverCrashing"
    DRIVER_UNREACHABLE = "DriverUnreachable"
    NAME_CONFLICT = "NameConflict"
    KUEUE_NOT_RESPONDING = "KueueNotResponding"
    QUEUE_UNAVAILABLE = "QueueUnavailable"
    OVERRIDE_NOT_ALLOWED = "OverrideNotAllowed"
