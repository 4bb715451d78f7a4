/* An allocator that takes away access to every second page that it hands back, until the kernel says no. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
	const size_t page = 4096, pages = 80000;
	char *heap = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	heap[0] = 1;
	for (size_t n = 1; n < pages; n += 2) {
		if (mprotect(heap + n * page, page, PROT_NONE) != 0) {
			fprintf(stderr, "block %zu: %s\n", n / 2, strerror(errno));
			return 1;
		}
	}
	return 0;
}
