/*
 * A fork server: a library that a program is started with (LD_PRELOAD) and that keeps it where everything is loaded and linked
 * and nothing of its own has run yet. For each request it makes a copy of the process, which goes on from there with the
 * arguments, the folder and the standard streams of the request, as a child of whoever started the server.
 *
 * Standard input is the connection to the client, a unix stream socket. The server begins with its process id, in four bytes.
 * A request is its length in four bytes, a folder, and the arguments from the first (the program) on, texts that end in zero
 * bytes, with three descriptors; the answer is the id of the new process, or a negative error. One request follows the answer
 * to the other. The arguments are written over those of the server, which has to be given as many and as long ones.
 *
 * Linux on x86-64 and nothing of a C library: `npm run fork-server` compiles it into server-code.ts.
 */
typedef unsigned long size;

enum { RECVMSG = 47, SENDTO = 44, CLONE = 56, CLOSE = 3, STAT = 4, DUP2 = 33, GETPID = 39, CHDIR = 80, SETSID = 112, EXIT = 231 };
enum { CHILD_CLEARTID = 0x200000, CHILD_SETTID = 0x1000000, SAME_PARENT = 0x8000, SIGCHLD = 17 };
enum { NOSIGNAL = 0x4000, EINTR = 4, E2BIG = 7, STREAMS = 3 };

static long system_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long call(long number, long a, long b, long c)
{
    return system_call(number, a, b, c, 0, 0, 0);
}

static void leave(int code)
{
    for (;;) call(EXIT, code, 0, 0);
}

struct part { char *at; size length; };
struct message { void *name; size name_length; struct part *parts; size count; void *control; size control_length; long flags; };
struct descriptors { size length; int level, type; int numbers[STREAMS + 1]; };
struct request { unsigned bytes; char texts[16380]; };

static struct request request;
static int streams[STREAMS];

static void answer(int result)
{
    system_call(SENDTO, 0, (long)&result, sizeof result, NOSIGNAL, 0, 0);
}

/* The next request; ends the server where there is none. */
static void receive(void)
{
    size have = 0;
    while (have < 4 || have < request.bytes) {
        struct descriptors control = {0};
        struct part part = {(char *)&request + have, sizeof request - have};
        struct message message = {0, 0, &part, 1, &control, sizeof control, 0};
        long length = call(RECVMSG, 0, (long)&message, 0);
        if (length == -EINTR) continue;
        if (length <= 0 || (have >= 4 && request.bytes > sizeof request)) leave(0);
        if (message.control_length > 16)
            for (int i = 0; i < STREAMS; i++) streams[i] = control.numbers[i];
        have += length;
    }
}

static size end_of(const char *text)
{
    size length = 0;
    while (text[length]) length++;
    return length + 1;
}

/* Where the C library keeps the number of this thread: it must be that of the copy. */
static int *thread_number(int pid)
{
    int *control;
    __asm__("mov %%fs:16, %0" : "=r"(control));
    for (int i = 0; i < 256; i++)
        if (control[i] == pid) return control + i;
    return 0;
}

static int is_ours(const char *variable)
{
    const char *name = "LD_PRELOAD=";
    while (*name && *name == *variable) name++, variable++;
    return !*name;
}

static char **arguments, **variables, *end_of_arguments;
static long argument_count, variable_count;

/* In the copy: what `texts` says takes the place of the arguments, also for whoever looks at the process from outside. */
static void become(const char *texts, long count)
{
    char *to = arguments[0];
    for (long i = 0; i < count; i++) {
        arguments[i] = to;
        do *to++ = *texts;
        while (*texts++);
    }
    while (to < end_of_arguments) *to++ = 0;
    arguments[count] = 0;
    for (long i = 0; i <= variable_count; i++) arguments[count + 1 + i] = variables[i];
    /* Where the program finds how many there are. */
    ((long *)arguments)[-1] = count;
    call(SETSID, 0, 0, 0);
    answer(call(GETPID, 0, 0, 0));
    for (int i = 0; i < STREAMS; i++) {
        call(DUP2, streams[i], i, 0);
        call(CLOSE, streams[i], 0, 0);
    }
}

/* Comes back in the copies only. */
__attribute__((constructor)) static void serve(int argc, char **argv, char **envp)
{
    /* Only glibc gives these to a constructor. */
    if (argc < 2 || argv[argc] || envp != argv + argc + 1) leave(1);
    arguments = argv, variables = envp, argument_count = argc;
    end_of_arguments = argv[argc - 1] + end_of(argv[argc - 1]);
    for (char **each = envp; *each; each++)
        if (!is_ours(*each)) envp[variable_count++] = *each;
    envp[variable_count] = 0;

    /* A folder has as many links as folders in it, and two: only where there is one thread is a copy the same. */
    long about[32];
    int pid = call(GETPID, 0, 0, 0);
    int *thread = thread_number(pid);
    if (call(STAT, (long)"/proc/self/task", (long)about, 0) != 0 || about[2] != 3 || !thread) leave(1);

    answer(pid);
    for (;;) {
        receive();
        char *texts = request.texts, *end = (char *)&request + request.bytes;
        char *folder = texts;
        texts += end_of(folder);
        long count = 0;
        for (char *each = texts; each < end; each += end_of(each)) count++;
        /* The C library has noted where the variables are: they stay there, and stand behind the new arguments as well. */
        int fits = count + 1 + variable_count <= argument_count && end - texts <= end_of_arguments - arguments[0];
        long result = fits ? call(CHDIR, (long)folder, 0, 0) : -E2BIG;
        if (result == 0) {
            long flags = SAME_PARENT | CHILD_SETTID | CHILD_CLEARTID | SIGCHLD;
            result = system_call(CLONE, flags, 0, 0, (long)thread, 0, 0);
            if (result == 0) return become(texts, count);
        }
        for (int i = 0; i < STREAMS; i++) call(CLOSE, streams[i], 0, 0);
        if (result < 0) answer(result);
    }
}
