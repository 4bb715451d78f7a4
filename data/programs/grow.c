/* A buffer that grows by realloc, 1 MiB at a time: what malloc makes of it is mremap. */
#include <stdlib.h>
#include <string.h>

int main(void)
{
	enum { MIB = 1 << 20, TIMES = 24 };
	char *buffer = malloc(MIB);

	memset(buffer, 1, MIB);
	for (int n = 2; n <= TIMES; n++) {
		buffer = realloc(buffer, (size_t)n * MIB);
		memset(buffer + (size_t)(n - 1) * MIB, n, MIB);
	}
	return buffer[5 * MIB] != 6;
}
