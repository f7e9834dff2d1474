// Something that a page names.
