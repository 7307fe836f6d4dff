export { reserveFileThreads } from './file-threads';
export { PROCESS_SETTINGS, REPLAY_SETTINGS, TOOL_SETTINGS } from './process-settings';
export { ConfigError, readSettings, setting, type Setting, type Values } from './settings';
