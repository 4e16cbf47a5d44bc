"""What a person can do about a trial that ended for a reason: one entry for each, shown by `why`."""

from typing import Final

from tuningsweep_api.outcomes import Reason

ADVICE: Final[dict[Reason, str]] = {
    Reason.COMPLETED: "nothing to do: it kept the limits and trained to its end",
    Reason.PRUNED_BY_SCHEDULER: "its objective was behind the others'; to let trials run longer before they are compared,"
    " raise spec.scheduler.gracePeriodSteps in a new sweep",
    Reason.MEMORY_LIMIT_EXCEEDED: "choose parameters that hold less at once (smaller batches or models), or raise"
    " limits.memory (on a cluster while it runs: tuningsweep limits SWEEP --memory ...)",
    Reason.GPU_MEMORY_LIMIT_EXCEEDED: "choose parameters that hold less on the GPU at once (smaller batches or models), or"
    " raise limits.gpuMemory (on a cluster while it runs: tuningsweep limits SWEEP --gpu-memory ...)",
    Reason.MEAN_STEP_TIME_LIMIT_EXCEEDED: "choose parameters with cheaper steps; raise limits.warmupSteps if only the first"
    " steps are slow, or limits.meanStepTime",
    Reason.STEP_TIME_LIMIT_EXCEEDED: "a single step took too long: does it hang on input or a lock? Otherwise raise"
    " limits.stepTime",
    Reason.TRIAL_DURATION_EXCEEDED: "train fewer steps, or raise limits.trialDuration",
    Reason.PREDICTED_OVER_LIMIT: "it never started: trials like it say that it would go over a limit; set limits.forecast Off"
    " to run such trials nevertheless, or raise the limit",
    Reason.OOM_KILLED: "raise cluster.resourcesPerTrial.memory, or set limits.memory below it so that the trial is stopped"
    " with its memory on record",
    Reason.STOP_REQUESTED: "a person asked for it; nothing to do",
    Reason.SWEEP_DEADLINE_EXCEEDED: "raise spec.activeDeadlineSeconds, or ask for fewer trials",
    Reason.SWEEP_ENDED: "the sweep was over before the trial was; nothing to do",
    Reason.TRAINABLE_ERROR: "its own code raised: fix what the message says, and run the trial's parameters by hand",
    Reason.TRAINING_PROCESS_DIED: "look into the log of the pod it ran in for a crash of a native library",
    Reason.METRIC_MISSING: "report the metric of spec.objective.objectiveMetricName at least once in each trial",
    Reason.GPU_UNREADABLE: "limits.gpuMemory needs a GPU of NVIDIA with its driver where trials run; give them one"
    " (cluster.resourcesPerTrial.gpu) or take the limit out",
}
