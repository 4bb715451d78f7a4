/* Four programs that people asked about, in few lines each: the argument chooses one. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void reopened(void) /* a file mapped whole, then its first page anew from a second open of it */
{
	int first = open("/proc/self/exe", O_RDONLY), second = open("/proc/self/exe", O_RDONLY);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, first, 0);

	mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, second, 0);
	mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
}

static void shrunk(void) /* a smaller size, for a range of two VMAs, over something else */
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, PAGE, PROT_READ);
	mremap(p, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q);
}

static void pages_of_a_file(void) /* neighbours in memory that are no neighbours in the file */
{
	int file = memfd_create("pool", 0);

	if (ftruncate(file, 16 * PAGE))
		exit(1);
	char *p = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int n = 0; n < 4; n++)
		mmap(p + n * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, (n * 5 % 16) * PAGE);
}

static void given_back(void) /* reserved, made writable and used, made inaccessible again */
{
	char *p = mmap(NULL, 6 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
	memset(p + 2 * PAGE, 1, 2 * PAGE);
	mprotect(p + 2 * PAGE, 2 * PAGE, PROT_NONE);
}

int main(int argc, char **argv)
{
	void (*programs[])(void) = { reopened, shrunk, pages_of_a_file, given_back };

	programs[argc > 1 ? atoi(argv[1]) : 0]();
	return 0;
}
