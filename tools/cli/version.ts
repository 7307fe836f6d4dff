/** The version of the commands, as their packages and the User-Agent name it. */
export const CLI_VERSION = '0.1.0';
