import { Alert } from "antd";
import type { ReactNode } from "react";
import type { ImageDetail } from "../../api/contract.ts";
import { Panel } from "../../components/page.tsx";
import { SafeText } from "../../components/safe-text.tsx";
import { useSpeech } from "../../i18n/language.tsx";
import { Ownership } from "./ownership.tsx";

const MAX_ROWS = 200;

/** Where the image lies, whose it is, its labels, and what could not be read. */
export function About({ image }: { readonly image: ImageDetail }) {
  const { t } = useSpeech();
  return (
    <div className="about">
      <Problems problems={image.problems} />
      <div className="columns">
        <Panel title={t("about.ownership")}>
          <Ownership image={image} />
        </Panel>
        <Panel title={t("about.facts")}>
          <Facts image={image} />
        </Panel>
      </div>
      <Panel title={t("about.locations")}>
        <dl className="label-table">
          {image.locations.slice(0, MAX_ROWS).map(({ registry, repository, tags }) => (
            <Pair key={`${registry}/${repository}`} name={`${registry}/${repository}`}>
              <span className="chips">
                {tags.slice(0, MAX_ROWS).map((tag) => (
                  <span key={tag} className="tag tone-other">
                    <SafeText value={tag} max={80} />
                  </span>
                ))}
              </span>
            </Pair>
          ))}
        </dl>
      </Panel>
      <Panel title={t("about.labels")}>
        <Labels labels={image.imageLabels} />
      </Panel>
    </div>
  );
}

function Problems({ problems }: { readonly problems: ImageDetail["problems"] }) {
  const { t } = useSpeech();
  if (problems.length === 0) return null;
  const list = (
    <ul>
      {problems.slice(0, MAX_ROWS).map(({ path, layer, what }) => (
        <li key={`${layer}|${path}|${what}`}>
          <SafeText value={path} mono wrap /> <SafeText value={what} wrap />
        </li>
      ))}
    </ul>
  );
  return <Alert type="warning" showIcon title={t("about.problems", { n: problems.length })} description={list} />;
}

function Facts({ image }: { readonly image: ImageDetail }) {
  const { t, format } = useSpeech();
  return (
    <dl className="facts">
      <dt>{t("image.digest")}</dt>
      <dd>
        <SafeText value={image.digest} mono wrap />
      </dd>
      <dt>{t("about.platform")}</dt>
      <dd>
        <SafeText value={image.platform} />
      </dd>
      <dt>{t("about.base")}</dt>
      <dd>
        <SafeText value={image.base?.reference ?? t("about.noBase")} />
      </dd>
      <dt>{t("about.built")}</dt>
      <dd>{format.time(image.builtAt)}</dd>
      <dt>{t("images.firstSeen")}</dt>
      <dd>{format.time(image.firstSeen)}</dd>
    </dl>
  );
}

function Labels({ labels }: { readonly labels: ImageDetail["imageLabels"] }) {
  const { t } = useSpeech();
  const entries = Object.entries(labels).slice(0, MAX_ROWS);
  if (entries.length === 0) return <p className="quiet">{t("about.noLabels")}</p>;
  return (
    <dl className="label-table">
      {entries.map(([name, value]) => (
        <Pair key={name} name={name}>
          <SafeText value={value} wrap />
        </Pair>
      ))}
    </dl>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>
        <SafeText value={name} wrap />
      </dt>
      <dd>{children}</dd>
    </>
  );
}
