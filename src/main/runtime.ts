/** `gantry runtime` (also `gantry-runtime`): the OCI runtime's command line is not built yet, and says so. */
export function runRuntime(): number {
  console.error("gantry runtime: the OCI runtime command line is not built yet");
  return 1;
}
