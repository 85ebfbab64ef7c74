import { invalidParameter } from "../../errors/platform-error.ts";
import type { ApiRequest } from "./route.ts";

const maximumBytes = 16 * 1024 * 1024;

/** The request's JSON object. engine-api, section 2, "JSON requests". Errors: InvalidParameter with Docker's wording. */
export async function jsonBody(request: ApiRequest): Promise<Record<string, unknown>> {
  const body = await optionalJsonBody(request);
  if (body === undefined) throw invalidParameter("invalid JSON: got EOF while reading request body");
  return body;
}

/** Undefined for an empty body, and for the `null` of clients that have nothing to say. */
export async function optionalJsonBody(request: ApiRequest): Promise<Record<string, unknown> | undefined> {
  const text = await bodyText(request);
  if (text === "") return undefined;
  checkContentType(request.headers["content-type"]);
  return text.trim() === "null" ? undefined : parseJsonObject(text);
}

function checkContentType(given: string | undefined): void {
  const mediaType = (given ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType === "application/json") return;
  throw invalidParameter(`unsupported Content-Type header (${given ?? ""}): must be 'application/json'`);
}

async function bodyText(request: ApiRequest): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maximumBytes) throw invalidParameter(`request body is larger than ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** One JSON object and nothing behind it. */
export function parseJsonObject(text: string): Record<string, unknown> {
  const parsed = parse(text);
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
    return parsed as Record<string, unknown>;
  throw invalidParameter(`invalid JSON: expected an object, got ${describe(parsed)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = endOfFirstObject(text);
    if (end !== undefined && isJson(text.slice(0, end)))
      throw invalidParameter("unexpected content after JSON");
    throw invalidParameter(`invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const describe = (value: unknown): string =>
  Array.isArray(value) ? "an array" : value === null ? "null" : typeof value;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The index behind the brace that closes the first object. */
function endOfFirstObject(text: string): number | undefined {
  let depth = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token[0] === "{") depth++;
    else if (token[0] === "}" && --depth === 0) return token.index + 1;
  }
  return undefined;
}
