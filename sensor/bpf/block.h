// What of the block policy is decided in the kernel.
#pragma once
#include "path.h"

struct name_key {
	char name[32];
};

// Base names of programs that may not start, with the blocks that say so.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct name_key);
	__type(value, u64);
} blocked_names SEC(".maps");

// Looks the path that `walk` left up in the tries; what they say is in scratch.found_*.
__attribute__((noinline)) int look_up_path(u32 slot)
{
	struct scratch *scratch = scratch_at(slot);
	u32 zero = 0;
	struct path_key *key = bpf_map_lookup_elem(&path_keys, &zero);
	if (!scratch || !key)
		return 0;
	u32 start = scratch->path_start;
	if (start >= PATH_SIZE)
		return 0;
	u32 taken = PATH_SIZE - start;
	if (taken > TRIE_BYTES)
		taken = TRIE_BYTES;
	scratch->found_types = 0;
	scratch->found_blocks = 0;
	// The zero behind a whole path is what makes a prefix an exact match.
	__builtin_memset(key->bytes, 0, TRIE_BYTES);
	asm volatile("" : "+r"(taken));
	if (taken > TRIE_BYTES)
		return 0;
	bpf_probe_read_kernel(key->bytes, taken, &scratch->path[start]);
	key->bits = (taken < TRIE_BYTES ? taken + 1 : taken) * 8;
	struct path_value *found = bpf_map_lookup_elem(&path_prefixes, key);
	if (found) {
		scratch->found_types |= found->types;
		scratch->found_blocks |= found->blocks;
	}
	for (u32 i = 0; i < TRIE_BYTES; i++)
		key->bytes[i] = scratch->path[(PATH_SIZE - 1 - i) & (PATH_SIZE - 1)];
	key->bits = taken * 8;
	found = bpf_map_lookup_elem(&path_suffixes, key);
	if (found) {
		scratch->found_types |= found->types;
		scratch->found_blocks |= found->blocks;
	}
	return 0;
}

static __always_inline u64 blocks_of_name(const char *name, u32 length)
{
	struct name_key key = {};
	if (length >= sizeof(key.name))
		length = sizeof(key.name) - 1;
	bpf_probe_read_kernel(key.name, length, name);
	u64 *found = bpf_map_lookup_elem(&blocked_names, &key);
	return found ? *found : 0;
}

// The blocks that forbid the program that was just executed; `scratch` holds its path.
static __always_inline u64 forbidding_blocks(struct scratch *scratch, struct task_struct *task, struct dentry *entry)
{
	struct settings *settings = current_settings();
	if (!settings)
		return 0;
	u64 here = blocks_of(&scratch->record, settings);
	if (!here)
		return 0;
	u64 hit = 0;
	look_up_path(scratch->slot);
	hit |= scratch->found_blocks & ~(settings->read_blocks | settings->write_blocks);
	if (scratch->record.flags & UPPER_LAYER)
		hit |= settings->drifted_blocks;
	if (scratch->record.flags & IN_MEMORY)
		hit |= settings->memory_blocks;
	if (kind_of(file_of(task, 0)) == STDIO_SOCKET && kind_of(file_of(task, 1)) == STDIO_SOCKET)
		hit |= settings->socket_blocks;
	// By the file's name and by the name it was started under: one is a symbolic link away from the other.
	hit |= blocks_of_name((const char *)READ(entry, d_name.name), READ(entry, d_name.len) & 255);
	char comm[16] = {};
	bpf_probe_read_kernel_str(comm, sizeof(comm), &task->comm);
	struct name_key key = {};
	__builtin_memcpy(key.name, comm, sizeof(comm));
	u64 *found = bpf_map_lookup_elem(&blocked_names, &key);
	if (found)
		hit |= *found;
	return hit & here;
}
