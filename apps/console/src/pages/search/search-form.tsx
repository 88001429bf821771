import { Button, Form, Input } from "antd";
import type { SearchQuery } from "../../api/contract.ts";
import { useSpeech } from "../../i18n/language.tsx";

interface Props {
  readonly query: SearchQuery;
  readonly onAsk: (query: SearchQuery) => void;
}

const MAX_LENGTH = 200;

export function SearchForm({ query, onAsk }: Props) {
  const { t } = useSpeech();
  const ask = (values: SearchQuery) => {
    const filled = Object.entries(values).filter(([, value]) => typeof value === "string" && value.trim() !== "");
    onAsk(Object.fromEntries(filled.map(([name, value]) => [name, String(value).trim()])));
  };
  return (
    <search>
      <Form<SearchQuery> className="panel search-form" layout="vertical" initialValues={query} onFinish={ask}>
        <Form.Item name="component" label={t("search.component")} extra={t("search.componentHint")}>
          <Input maxLength={MAX_LENGTH} spellCheck={false} />
        </Form.Item>
        <Form.Item name="range" label={t("search.range")} extra={t("search.rangeHint")}>
          <Input className="mono" maxLength={MAX_LENGTH} spellCheck={false} />
        </Form.Item>
        <Form.Item name="ecosystem" label={t("search.ecosystem")} extra={t("search.ecosystemHint")}>
          <Input maxLength={MAX_LENGTH} spellCheck={false} />
        </Form.Item>
        <Form.Item name="vulnerability" label={t("search.vulnerability")} extra={t("search.vulnerabilityHint")}>
          <Input maxLength={MAX_LENGTH} spellCheck={false} />
        </Form.Item>
        <Form.Item label={<span className="unseen">{t("search.submit")}</span>}>
          <Button type="primary" htmlType="submit">
            {t("search.submit")}
          </Button>
        </Form.Item>
      </Form>
    </search>
  );
}
