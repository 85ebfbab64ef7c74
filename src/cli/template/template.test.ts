import { expect, test } from "bun:test";
import { compileTemplate } from "./evaluate.ts";

const data = {
  Id: "abc123",
  Name: "/web",
  Host: { NanoCpus: 7, ApiVersion: "1.51" },
  State: { Running: true, Pid: 42, Health: null },
  Args: ["-c", "echo hi"],
  Config: {
    ExposedPorts: { "80/tcp": {}, "443/udp": {} },
    None: {},
    Labels: { "com.x": "1", b: "2" },
    Env: [] as string[],
  },
  Mounts: [
    { Source: "/a", RW: true },
    { Source: "/b", RW: false },
  ],
  Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
};

/** Template → what Go's text/template makes of it with Docker's functions. */
test.each([
  ["plain", "plain"],
  ["{{.Id}} {{.State.Pid}}", "abc123 42"],
  ["{{.ID}}", "abc123"],
  ['{{(index (index .Ports "80/tcp") 0).HostIP}}', "0.0.0.0"],
  ["{{.Host.NanoCPUs}} {{.Host.APIVersion}}", "7 1.51"],
  ["{{ .State.Running }}", "true"],
  ["{{.State.Health}}", "<no value>"],
  ["{{json .State}}", '{"Running":true,"Pid":42,"Health":null}'],
  ["{{.Args}}", "[-c echo hi]"],
  ["{{.Config.Labels}}", "map[b:2 com.x:1]"],
  ["{{.Config.ExposedPorts}} {{.Config.None}}", "map[443/udp:{} 80/tcp:{}] map[]"],
  ['{{print 1 "a" 2 3 true}} {{print "a" "b"}}', "1a2 3 true ab"],
  ['{{html `<a href="x">&\'`}}', "&lt;a href=&#34;x&#34;&gt;&amp;&#39;"],
  ["{{js `it's <b>`}}", "it\\'s \\u003Cb\\u003E"],
  ['{{index .Config.Labels "com.x"}}', "1"],
  ['{{index .Config.Labels "nope"}}', ""],
  ['{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"],
  ['{{join .Args " "}}', "-c echo hi"],
  ['{{join .Args ", " | upper}}', "-C, ECHO HI"],
  ["{{range .Mounts}}{{.Source}}{{if .RW}}:rw{{else}}:ro{{end}} {{end}}", "/a:rw /b:ro "],
  ["{{range $i, $m := .Mounts}}{{$i}}={{$m.Source}};{{end}}", "0=/a;1=/b;"],
  ["{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "b:2 com.x:1 "],
  ["{{range .Config.Env}}x{{else}}none{{end}}", "none"],
  ["{{with .State}}{{.Pid}}{{$.Id}}{{end}}", "42abc123"],
  ["{{with .State.Health}}x{{else}}no health{{end}}", "no health"],
  ["{{if and .State.Running (eq .State.Pid 42)}}up{{end}}", "up"],
  ["{{if or .Config.Env .Args}}some{{end}}", "some"],
  ["{{if not .State.Running}}a{{else if gt .State.Pid 40}}b{{else}}c{{end}}", "b"],
  ['{{if eq .Id "x" "abc123"}}yes{{end}}', "yes"],
  ['{{ne .Id "x"}} {{len .Args}} {{len .Id}}', "true 2 6"],
  ["{{slice .Id 0 3}} {{truncate .Id 2}} {{pad .Id 1 2}}|", "abc ab  abc123  |"],
  ['{{printf "%-8s|%5d|%q" .Id .State.Pid .Name}}', 'abc123  |   42|"/web"'],
  ['{{println "a" .State.Pid}}', "a 42\n"],
  ['{{title "some words"}} {{lower "ABC"}}', "Some Words abc"],
  ['{{index (split .Name "/") 1}}', "web"],
  ["{{$x := .State.Pid}}{{$x}}", "42"],
  ["{{$x := 1}}{{if .State.Running}}{{$x = 2}}{{end}}{{$x}}", "2"],
  ["a {{- /* comment */ -}} b", "ab"],
  ["a\n{{- .Id -}}\n b", "aabc123b"],
  ['{{"}}"}}', "}}"],
  ["{{range .Mounts}}{{if .RW}}{{continue}}{{end}}{{.Source}}{{end}}", "/b"],
  ["{{range .Mounts}}{{.Source}}{{break}}{{end}}", "/a"],
])("%s", (source, wanted) => {
  expect(compileTemplate(source)(data)).toBe(wanted);
});

test.each([
  ["{{.Id", "unclosed action"],
  ["{{if .Id}}x", "unexpected EOF"],
  ["{{end}}", "unexpected {{end}}"],
  ["{{}}", "missing value for command"],
  ["{{.Id | }}", "missing value for command"],
  ["{{(.Id}}", "unclosed left paren"],
  ["{{.Id @}}", "unexpected"],
  ['{{define "x"}}{{end}}', "not supported"],
])("%s is malformed", (source, message) => {
  expect(() => compileTemplate(source)).toThrow(message);
});

test.each([
  ["{{.Nope}}", "can't evaluate field Nope"],
  ["{{.id}}", "can't evaluate field id"],
  ["{{.State.Health.Status}}", "nil pointer evaluating .Status"],
  ["{{nope .Id}}", 'function "nope" not defined'],
  ["{{constructor}}", 'function "constructor" not defined'],
  ["{{index .Args 7}}", "index out of range: 7"],
  ["{{$y}}", 'undefined variable "$y"'],
  ["{{.Id 1}}", "cannot be invoked as function"],
])("%s does not fit the data", (source, message) => {
  expect(() => compileTemplate(source)(data)).toThrow(message);
});
