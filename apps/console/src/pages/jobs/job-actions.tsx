import { Button } from "antd";
import type { Job, JobState } from "../../api/contract.ts";
import { type JobAction, useSteerJob } from "../../api/registries.ts";
import { useMay } from "../../api/session.ts";
import { useSpeech } from "../../i18n/language.tsx";

/** What can be done with a job in each state. */
const ACTIONS: Readonly<Record<JobState, readonly JobAction[]>> = {
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  done: [],
  failed: ["retry"],
  cancelled: ["retry"],
};

export function JobActions({ job }: { readonly job: Job }) {
  const { t } = useSpeech();
  const steer = useSteerJob();
  if (!useMay()("jobs:write")) return null;
  return (
    <span className="row-actions">
      {ACTIONS[job.state].map((action) => (
        <Button
          key={action}
          size="small"
          danger={action === "cancel"}
          disabled={steer.isPending}
          onClick={() => steer.mutate({ id: job.id, action })}
        >
          {t(`jobs.${action}`)}
        </Button>
      ))}
    </span>
  );
}
