/* A command that the engine runs for this terminal. */
#ifndef GANTRY_FRONT_SESSION_H
#define GANTRY_FRONT_SESSION_H

/*
 * Has the engine behind `socket_path` run `argv`. Returns its exit code, or SESSION_DECLINED when nothing was
 * done and the full program has to: there is no engine, it is another version, or the command is none of those.
 */
int run_session(const char *socket_path, char **argv, char **env);

#define SESSION_DECLINED (-1)

#endif
