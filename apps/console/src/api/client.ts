import createClient, { type Middleware } from "openapi-fetch";
import type { Problem, paths } from "./contract.ts";

/** A request that the server refused, or that did not reach it (`code` OFFLINE). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }
}

const READING = ["GET", "HEAD"];
let csrf = "";

/** Called with the session's token after login; requests that change something carry it. */
export function rememberCsrf(token: string): void {
  csrf = token;
}

const withCsrf: Middleware = {
  onRequest({ request }) {
    if (!READING.includes(request.method) && csrf !== "") request.headers.set("x-csrf-token", csrf);
    return request;
  },
};

/** The API, typed by the contract. Errors are thrown as {@link ApiError} by {@link answer}. */
export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: "same-origin" });
api.use(withCsrf);

interface Answered<Data> {
  readonly data?: Data | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The body of an answer.
 *
 * @throws ApiError what the server told, or OFFLINE when it did not answer
 * @example const image = await answer(api.GET("/api/v1/images/{digest}", { params: { path: { digest } } }));
 */
export async function answer<Data>(request: Promise<Answered<Data>>): Promise<Data> {
  const { data, error, response } = await request.catch((cause: unknown): never => {
    throw new ApiError({ type: "about:blank", title: String(cause), status: 0, code: "OFFLINE" });
  });
  if (response.ok) return data as Data;
  throw new ApiError(isProblem(error) ? error : unreadable(response));
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "title" in body && "code" in body;
}

/** An answer that is no problem+json: of a proxy before the server, usually. */
function unreadable(response: Response): Problem {
  return { type: "about:blank", title: response.statusText, status: response.status, code: "UNREADABLE" };
}
