/** Files that the build embeds: their import is the path of the file, in the source tree or in the executable. */
declare module "*/build/embedded/gantry-helper" {
  const path: string;
  export default path;
}
declare module "*/build/embedded/gantry-addon" {
  const path: string;
  export default path;
}
declare module "*/build/embedded/hello.tar" {
  const path: string;
  export default path;
}
