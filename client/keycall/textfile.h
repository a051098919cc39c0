/*
 * textfile.h: the text of an argument, from a file.
 */
#ifndef KB_KEYCALL_TEXTFILE_H
#define KB_KEYCALL_TEXTFILE_H

/*
 * All of the file, "-" for stdin, without the newlines at its end, allocated. NULL: it cannot be read, is longer than
 * 1 MiB or has a NUL byte; that was told on stderr, as the trouble of this argument.
 */
char *kb_call_textfile(const char *argument, const char *path);

#endif
