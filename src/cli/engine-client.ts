/**
 * Requests to the engine, with its errors turned into EngineError. The API version is fixed: gantry's
 * command line needs no negotiation with gantry's engine, and saves its round trip.
 */
import { PlatformError } from "../errors/platform-error.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type RawStream,
  readAll,
  type UpgradeResult,
} from "../wire/http1-client.ts";
import type { ResponseHead } from "../wire/http1-response.ts";

export const apiVersion = "1.51";

/** The engine's answer was an error. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly status: number,
    message: string,
    readonly hint: string | undefined,
    /** A stable dotted name of the reason, when the engine sent one. */
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

type QueryValue = string | number | boolean | undefined;
/** A list is one parameter for each of its values. */
export type Query = Readonly<Record<string, QueryValue | readonly QueryValue[]>>;

export interface EngineRequest {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

type Method = HttpRequest["method"];

/** The way to an engine: a socket, or none at all where the command runs within the engine. */
export interface EngineTransport extends Disposable {
  /** Connects ahead of `count` requests at a time. */
  prepare(count: number): void;
  request(request: HttpRequest): Promise<HttpResponse>;
  upgrade(request: HttpRequest): Promise<UpgradeResult>;
}

/** Starts an engine, or explains why there is none. */
export type OnNoEngine = (error: PlatformError) => Promise<void>;

export class EngineClient implements Disposable {
  private engineWanted = true;

  constructor(
    private readonly transport: EngineTransport,
    private readonly onNoEngine: OnNoEngine,
  ) {}

  /** Connects ahead of `count` requests at a time. */
  prepare(count: number): void {
    this.transport.prepare(count);
  }

  /** The error of a ping that reached nobody; undefined when an engine answers. None is started. */
  async absence(): Promise<PlatformError | undefined> {
    try {
      await readAll((await this.transport.request(encodeRequest("GET", "/_ping", {}))).body);
      return undefined;
    } catch (error) {
      if (error instanceof PlatformError && error.kind === "Unavailable") return error;
      throw error;
    }
  }

  /**
   * The JSON of the answer, undefined when it has none. `T` names the fields that the caller reads; the Engine
   * API is versioned, so they are not checked one by one.
   */
  async json<T>(method: Method, path: string, request: EngineRequest = {}): Promise<T> {
    const response = await this.open(method, path, request);
    if (response.value !== undefined) return response.value as T;
    const text = Buffer.from(await readAll(response.body)).toString();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** For requests whose answer says nothing beyond its status. Out: false when it was so already (304). */
  async send(method: Method, path: string, request: EngineRequest = {}): Promise<boolean> {
    const response = await this.open(method, path, request);
    await readAll(response.body);
    return response.status !== 304;
  }

  /** Settles with the head; the body streams. Errors: EngineError, PlatformError. */
  async open(method: Method, path: string, request: EngineRequest = {}): Promise<HttpResponse> {
    const wire = encodeRequest(method, path, request);
    const response = await this.withEngine(() => this.transport.request(wire));
    if (response.status >= 400) throw await errorOf(response);
    return response;
  }

  /** Takes the connection over. Errors: EngineError when the engine refuses. */
  async hijack(
    path: string,
    request: EngineRequest = {},
  ): Promise<{ head: ResponseHead; stream: RawStream }> {
    const wire = encodeRequest("POST", path, request);
    const result = await this.withEngine(() => this.transport.upgrade(wire));
    if (!result.upgraded) throw await errorOf(result.response);
    return result;
  }

  [Symbol.dispose](): void {
    this.transport[Symbol.dispose]();
  }

  private async withEngine<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      const absent = error instanceof PlatformError && error.kind === "Unavailable";
      if (!absent || !this.engineWanted) throw error;
      this.engineWanted = false;
      await this.onNoEngine(error);
      return attempt();
    }
  }
}

function encodeRequest(method: Method, path: string, request: EngineRequest): HttpRequest {
  const headers: Record<string, string> = { ...request.headers };
  if (request.json !== undefined) headers["Content-Type"] = "application/json";
  else if (request.body !== undefined) headers["Content-Type"] ??= "application/x-tar";
  return {
    method,
    path: `/v${apiVersion}${path}${encodeQuery(request.query ?? {})}`,
    headers,
    ...(request.json !== undefined
      ? { body: JSON.stringify(request.json) }
      : request.body !== undefined
        ? { body: request.body }
        : {}),
  };
}

function encodeQuery(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => {
      if (value === undefined || value === false || value === "") return [];
      return [`${name}=${encodeURIComponent(value === true ? "1" : String(value))}`];
    }),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

async function errorOf(response: HttpResponse): Promise<EngineError> {
  const text = Buffer.from(await readAll(response.body))
    .toString()
    .trim();
  const body = parseErrorBody(text);
  const message = stringField(body, "message") ?? (text || `the engine answered ${response.status}`);
  return new EngineError(response.status, message, stringField(body, "hint"), stringField(body, "code"));
}

function parseErrorBody(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // a plain text error, as older API versions send
  }
}

function stringField(body: object, name: string): string | undefined {
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A name or id in a path; slashes of image names stay. */
export function pathOf(name: string): string {
  return encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}
