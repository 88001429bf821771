import { Navigate, Outlet, useLocation } from "react-router";
import { useSession } from "../api/session.ts";
import { Failure } from "../components/failure.tsx";
import { Starting } from "./starting.tsx";

/** Leads to the login page who is not logged in, and from there back to where one was. */
export function RequireSession() {
  const session = useSession();
  const location = useLocation();
  if (session.isPending) return <Starting />;
  if (session.isError) {
    return (
      <div className="page">
        <Failure error={session.error} retry={() => void session.refetch()} />
      </div>
    );
  }
  if (session.data !== null) return <Outlet />;
  const back = `${location.pathname}${location.search}`;
  return <Navigate replace to={back === "/" ? "/login" : `/login?back=${encodeURIComponent(back)}`} />;
}
