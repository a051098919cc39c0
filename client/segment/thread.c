#include "segment/thread.h"

_Thread_local char kb_thread_here;
