package admin

import "fmt"

// memoryNumbers say what the process takes, and what of it is kept of what was read.
func memoryNumbers(m Memory) []number {
	all := []number{{"of the machine's memory", orUnknown(m.Resident), ""}}
	if m.Goal > 0 {
		all = append(all, number{"memory limit (GOMEMLIMIT)", bytesOf(m.Goal), markIf(m.Resident > m.Goal, "warn")})
	}
	kept := number{"kept of what was read", bytesOf(m.Bytes) + " of " + bytesOf(m.Limit), ""}
	if m.Limit == 0 {
		kept.Value = "nothing, by cache.memory"
	}
	all = append(all, kept)
	for _, k := range m.Kinds {
		if asked := k.Hits + k.Joined + k.Misses; asked > 0 {
			all = append(all, number{k.Kind + " from memory", fmt.Sprintf("%d %%", 100*(k.Hits+k.Joined)/asked), ""})
		}
	}
	return all
}

func orUnknown(n int64) string {
	if n == 0 {
		return "not known"
	}
	return bytesOf(n)
}
