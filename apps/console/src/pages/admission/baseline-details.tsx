import { Alert, Button, Checkbox } from "antd";
import { useState } from "react";
import {
  useActivateBaseline,
  useBaseline,
  useEndLearning,
  useProposal,
  useRetireBaseline,
} from "../../api/baselines.ts";
import type { BaselineDetail } from "../../api/contract.ts";
import { useMay } from "../../api/session.ts";
import { Loaded } from "../../components/loaded.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";

const LONG = 300_000;
const SHOWN_SOURCES = 3;

/** What was seen, what follows from it, and what a person may decide. */
export function BaselineDetails({ id }: { readonly id: number }) {
  const query = useBaseline(id);
  return (
    <Loaded query={query} rows={8}>
      {(baseline) => (
        <div className="stack">
          <Decisions baseline={baseline} />
          <Warnings baseline={baseline} />
          <Seen baseline={baseline} />
          {baseline.pods === 0 ? null : <Proposed baseline={baseline} />}
        </div>
      )}
    </Loaded>
  );
}

interface Props {
  readonly baseline: BaselineDetail;
}

function Decisions({ baseline: { id, state } }: Props) {
  const { t } = useSpeech();
  const may = useMay();
  const end = useEndLearning();
  const retire = useRetireBaseline();
  if (!may("runtime:write") || state === "retired") return null;
  return (
    <div className="filters">
      {state === "learning" ? (
        <Button loading={end.isPending} onClick={() => end.mutate(id)}>
          {t("baseline.endLearning")}
        </Button>
      ) : null}
      <Button danger loading={retire.isPending} onClick={() => retire.mutate(id)}>
        {t("baseline.retire")}
      </Button>
      <span className="quiet">{t("baseline.retireHint")}</span>
    </div>
  );
}

function Warnings({ baseline: { problem, excluded, excludedWorkloads, tooMany, pods } }: Props) {
  const { t, nameOf } = useSpeech();
  return (
    <>
      {problem === "" ? null : <Alert type="error" showIcon title={<SafeText value={problem} wrap />} />}
      {pods === 0 ? <Alert type="info" showIcon title={t("baseline.noPods")} /> : null}
      {excluded === 0 ? null : (
        <Alert
          type="warning"
          showIcon
          title={t("baseline.excludedHint", { n: excluded })}
          description={<SafeText value={excludedWorkloads.join(", ")} wrap max={LONG} />}
        />
      )}
      {tooMany.map((kind) => (
        <Alert
          key={kind}
          type="warning"
          showIcon
          title={t("baseline.tooMany", { kind: nameOf("baselineKind", kind) })}
        />
      ))}
    </>
  );
}

function Seen({ baseline: { values } }: Props) {
  const { t, nameOf, format } = useSpeech();
  const kinds = [...new Set(values.map(({ kind }) => kind))];
  return (
    <section>
      <h3>{t("baseline.seen")}</h3>
      <dl className="facts">
        {kinds.map((kind) => (
          <div key={kind} style={{ display: "contents" }}>
            <dt>{nameOf("baselineKind", kind)}</dt>
            <dd>
              {values
                .filter((each) => each.kind === kind)
                .map(({ value, pods, sources, more, lastSeen }) => (
                  <span key={value} className="two-lines">
                    <SafeText value={value === "yes" ? t("baseline.yes") : nameOf("baselineUser", value)} mono wrap />
                    <span className="second">
                      <SafeText
                        value={`${t("baseline.seenIn", { n: pods, ago: format.ago(lastSeen) })} ${placesOf(sources, more)}`}
                      />
                    </span>
                  </span>
                ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function placesOf(sources: readonly string[], more: boolean): string {
  const rest = more || sources.length > SHOWN_SOURCES ? ", …" : "";
  return `${sources.slice(0, SHOWN_SOURCES).join(", ")}${rest}`;
}

/** Line by line: what a name holds never makes a line of its own look like the policy's. */
function Lines({ text }: { readonly text: string }) {
  return (
    <div className="evidence mono" style={{ whiteSpace: "pre-wrap" }}>
      {[...text.matchAll(/.+/g)].map(({ 0: line, index }) => (
        <div key={index}>
          <SafeText value={line} wrap max={LONG} />
        </div>
      ))}
    </div>
  );
}

function Proposed({ baseline }: Props) {
  const { t } = useSpeech();
  const query = useProposal(baseline.id);
  const activate = useActivateBaseline();
  const may = useMay();
  const [chosen, setChosen] = useState<string[]>([]);
  const mayApprove = baseline.state === "proposed" && may("findings:approve");
  return (
    <Loaded query={query} rows={6}>
      {({ content, enforceable }) => (
        <section className="stack">
          <h3>{t("baseline.proposal")}</h3>
          <p className="quiet">{t("baseline.proposalHint")}</p>
          <Lines text={content} />
          <h3>{t("baseline.enforceable")}</h3>
          <p className="quiet">
            {t(enforceable.length === 0 ? "baseline.noneEnforceable" : "baseline.enforceableHint")}
          </p>
          <Checkbox.Group
            className="stack"
            value={chosen}
            disabled={!mayApprove}
            onChange={setChosen}
            options={enforceable.map(({ policy, title }) => ({
              value: policy,
              label: <SafeText value={`${policy}: ${title}`} />,
            }))}
          />
          {mayApprove ? (
            <div>
              <Button
                type="primary"
                loading={activate.isPending}
                onClick={() => activate.mutate({ id: baseline.id, enforce: chosen })}
              >
                {t("baseline.activate")}
              </Button>
            </div>
          ) : null}
        </section>
      )}
    </Loaded>
  );
}
