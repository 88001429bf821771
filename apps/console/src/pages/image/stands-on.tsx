import { useImageBases } from "../../api/lineage.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { NodePath } from "../../components/node-path.tsx";
import { Panel } from "../../components/page.tsx";
import { useSpeech } from "../../i18n/language.tsx";

/** The way from the lowest base up to the image: who built each stage, and what was found in it. */
export function StandsOn({ digest }: { readonly digest: string }) {
  const { t } = useSpeech();
  const bases = useImageBases(digest);
  return (
    <Loaded query={bases}>
      {({ items }) =>
        items.length < 2 ? (
          <EmptyState title={t("image.noBases")} hint={t("image.noBasesHint")} />
        ) : (
          <Panel title={t("image.standsOn")}>
            <div className="stack">
              <p className="quiet">{t("image.standsOnHint")}</p>
              <NodePath path={items} />
            </div>
          </Panel>
        )
      }
    </Loaded>
  );
}
