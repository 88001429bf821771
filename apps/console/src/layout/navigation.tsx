import {
  AlertOutlined,
  ApartmentOutlined,
  AppstoreOutlined,
  AreaChartOutlined,
  AuditOutlined,
  BankOutlined,
  BellOutlined,
  BugOutlined,
  BuildOutlined,
  CalendarOutlined,
  ClearOutlined,
  CloudServerOutlined,
  ClusterOutlined,
  DashboardOutlined,
  DatabaseOutlined,
  DeploymentUnitOutlined,
  ExportOutlined,
  FileProtectOutlined,
  FileSearchOutlined,
  FolderOpenOutlined,
  FolderOutlined,
  FundOutlined,
  HistoryOutlined,
  IdcardOutlined,
  InboxOutlined,
  KeyOutlined,
  OrderedListOutlined,
  RadarChartOutlined,
  SafetyCertificateOutlined,
  SafetyOutlined,
  StopOutlined,
  TeamOutlined,
  ThunderboltOutlined,
  TrophyOutlined,
  UserOutlined,
  WarningOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import { Link, NavLink } from "react-router";
import { useMay, useSession } from "../api/session.ts";
import type { Key } from "../i18n/en.ts";
import { useSpeech } from "../i18n/language.tsx";
import { Mark } from "./mark.tsx";

interface Entry {
  readonly to: string;
  readonly label: Key;
  readonly icon: ReactNode;
  readonly scope: string;
  /** Other pages' addresses begin with its own. */
  readonly exact?: boolean;
  /** Only for those of the first tenant. */
  readonly firstTenant?: boolean;
}

interface Group {
  readonly title: Key;
  readonly entries: readonly Entry[];
}

/** Its administrators make the other tenants. */
const FIRST_TENANT = 1;

const GROUPS: readonly Group[] = [
  {
    title: "nav.estate",
    entries: [
      { to: "/", label: "nav.overview", icon: <DashboardOutlined />, scope: "findings:read", exact: true },
      { to: "/images", label: "nav.images", icon: <AppstoreOutlined />, scope: "images:read" },
      { to: "/repositories", label: "nav.repositories", icon: <FolderOutlined />, scope: "images:read" },
      { to: "/vulnerabilities", label: "nav.vulnerabilities", icon: <BugOutlined />, scope: "findings:read" },
      { to: "/packages", label: "nav.packages", icon: <InboxOutlined />, scope: "images:read" },
    ],
  },
  {
    title: "nav.bases",
    entries: [
      { to: "/bases", label: "nav.forest", icon: <ApartmentOutlined />, scope: "images:read", exact: true },
      { to: "/bases/spread", label: "nav.spread", icon: <AreaChartOutlined />, scope: "images:read" },
      { to: "/bases/plan", label: "nav.plan", icon: <OrderedListOutlined />, scope: "images:read" },
      { to: "/rebuilds", label: "nav.rebuilds", icon: <BuildOutlined />, scope: "findings:read" },
      { to: "/golden", label: "nav.golden", icon: <TrophyOutlined />, scope: "images:read" },
      { to: "/programmes", label: "nav.programmes", icon: <FundOutlined />, scope: "findings:read" },
      { to: "/unused", label: "nav.unused", icon: <ClearOutlined />, scope: "images:read" },
    ],
  },
  {
    title: "nav.respond",
    entries: [
      { to: "/search", label: "nav.search", icon: <FileSearchOutlined />, scope: "findings:read" },
      { to: "/cases", label: "nav.cases", icon: <FolderOpenOutlined />, scope: "findings:read" },
      { to: "/risks", label: "nav.risks", icon: <AlertOutlined />, scope: "findings:read" },
      { to: "/waivers", label: "nav.waivers", icon: <FileProtectOutlined />, scope: "findings:read" },
    ],
  },
  {
    title: "nav.runtime",
    entries: [
      { to: "/alerts", label: "nav.alerts", icon: <WarningOutlined />, scope: "alerts:read" },
      { to: "/responses", label: "nav.responses", icon: <StopOutlined />, scope: "responses:read" },
      { to: "/assets", label: "nav.assets", icon: <DeploymentUnitOutlined />, scope: "runtime:read" },
      { to: "/admission", label: "nav.admission", icon: <SafetyCertificateOutlined />, scope: "runtime:read" },
      { to: "/events", label: "nav.events", icon: <HistoryOutlined />, scope: "runtime:read" },
      { to: "/runtime-rules", label: "nav.runtimeRules", icon: <SafetyOutlined />, scope: "runtime:read" },
      { to: "/benchmarks", label: "nav.benchmarks", icon: <SafetyCertificateOutlined />, scope: "runtime:read" },
      { to: "/clusters", label: "nav.clusters", icon: <ClusterOutlined />, scope: "runtime:read" },
      { to: "/nodes", label: "nav.nodes", icon: <RadarChartOutlined />, scope: "runtime:read" },
    ],
  },
  {
    title: "nav.operate",
    entries: [
      { to: "/registries", label: "nav.registries", icon: <CloudServerOutlined />, scope: "registries:read" },
      { to: "/jobs", label: "nav.jobs", icon: <ThunderboltOutlined />, scope: "jobs:read" },
      { to: "/schedules", label: "nav.schedules", icon: <CalendarOutlined />, scope: "jobs:read" },
      { to: "/notifications", label: "nav.notifications", icon: <BellOutlined />, scope: "notifications:read" },
      { to: "/exports", label: "nav.exports", icon: <ExportOutlined />, scope: "admin:read" },
    ],
  },
  {
    title: "nav.administration",
    entries: [
      { to: "/users", label: "nav.users", icon: <UserOutlined />, scope: "admin:read" },
      { to: "/tokens", label: "nav.tokens", icon: <KeyOutlined />, scope: "images:read" },
      { to: "/owners", label: "nav.owners", icon: <TeamOutlined />, scope: "admin:read" },
      { to: "/providers", label: "nav.providers", icon: <IdcardOutlined />, scope: "admin:read" },
      { to: "/tenants", label: "nav.tenants", icon: <BankOutlined />, scope: "admin:read", firstTenant: true },
      { to: "/audit", label: "nav.audit", icon: <AuditOutlined />, scope: "audit:read" },
      { to: "/database", label: "nav.database", icon: <DatabaseOutlined />, scope: "findings:read" },
    ],
  },
];

/** The way to every page that the one who is logged in may see. */
export function Navigation() {
  const { t } = useSpeech();
  const may = useMay();
  const isFirst = useSession().data?.account.tenant.id === FIRST_TENANT;
  const shows = ({ scope, firstTenant = false }: Entry) => may(scope) && (isFirst || !firstTenant);
  const groups = GROUPS.map((group) => ({ ...group, entries: group.entries.filter(shows) }));
  return (
    <nav className="navigation" aria-label={t("nav.label")}>
      <Link to="/" className="brand">
        <Mark />
        <span>{t("product")}</span>
      </Link>
      {groups
        .filter((group) => group.entries.length > 0)
        .map((group) => (
          <section key={group.title} aria-label={t(group.title)}>
            <h2>{t(group.title)}</h2>
            <ul>
              {group.entries.map((entry) => (
                <li key={entry.to}>
                  <NavLink to={entry.to} end={entry.exact ?? false} title={t(entry.label)}>
                    {entry.icon}
                    <span className="label">{t(entry.label)}</span>
                  </NavLink>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </nav>
  );
}
