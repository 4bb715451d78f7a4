/* A hundred pages of changing protection, moved one by one, and then all together. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 100 };

int main(void)
{
	const size_t size = (size_t)PAGES * PAGE;
	char *from = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	memset(from, 1, size);
	for (int n = 0; n < PAGES; n += 2)
		mprotect(from + (size_t)n * PAGE, PAGE, PROT_READ);
	for (int n = 0; n < PAGES; n++)
		mremap(from + (size_t)n * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + (size_t)n * PAGE);
	if (mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, from) == MAP_FAILED)
		perror("all at once");
	return 0;
}
